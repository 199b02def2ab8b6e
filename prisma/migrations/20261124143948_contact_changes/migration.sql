-- CreateEnum
CREATE TYPE "contact_channel" AS ENUM ('PHONE', 'EMAIL');

-- CreateEnum
CREATE TYPE "contact_change_kind" AS ENUM ('CHANGE', 'TAKEN', 'MUTED');

-- CreateEnum
CREATE TYPE "contact_change_status" AS ENUM ('OPEN', 'COMPLETED', 'EXPIRED', 'REPLACED');

-- AlterEnum
ALTER TYPE "session_end" ADD VALUE 'EMAIL_CHANGED';

-- AlterTable
ALTER TABLE "users" ADD COLUMN     "phone_changed_at" TIMESTAMPTZ(3);

-- CreateTable
CREATE TABLE "contact_changes" (
    "id" UUID NOT NULL,
    "workflow_id" TEXT NOT NULL,
    "user_id" UUID NOT NULL,
    "channel" "contact_channel" NOT NULL,
    "kind" "contact_change_kind" NOT NULL,
    "status" "contact_change_status" NOT NULL DEFAULT 'OPEN',
    "contact_index" BYTEA NOT NULL,
    "contact_ciphertext" TEXT,
    "previous_ciphertext" TEXT,
    "code_hash" BYTEA,
    "failed_attempts" INTEGER NOT NULL DEFAULT 0,
    "last_attempt_id" TEXT,
    "released_user_id" UUID,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "closed_at" TIMESTAMPTZ(3),

    CONSTRAINT "contact_changes_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "contact_changes_user_id_channel_created_at_idx" ON "contact_changes"("user_id", "channel", "created_at");

-- CreateIndex
CREATE INDEX "contact_changes_contact_index_created_at_idx" ON "contact_changes"("contact_index", "created_at");

-- CreateIndex
CREATE INDEX "contact_changes_channel_created_at_idx" ON "contact_changes"("channel", "created_at");

-- AddForeignKey
ALTER TABLE "contact_changes" ADD CONSTRAINT "contact_changes_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;
