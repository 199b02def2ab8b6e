-- CreateEnum
CREATE TYPE "password_reset_status" AS ENUM ('OPEN', 'COMPLETED', 'EXPIRED');

-- CreateTable
CREATE TABLE "password_resets" (
    "id" UUID NOT NULL,
    "workflow_id" TEXT NOT NULL,
    "user_id" UUID,
    "status" "password_reset_status" NOT NULL DEFAULT 'OPEN',
    "token_hash" BYTEA,
    "mails_issued" INTEGER NOT NULL DEFAULT 0,
    "last_issued_at" TIMESTAMPTZ(3) NOT NULL,
    "last_request_id" TEXT,
    "last_attempt_id" TEXT,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "closed_at" TIMESTAMPTZ(3),

    CONSTRAINT "password_resets_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "password_resets_token_hash_key" ON "password_resets"("token_hash");

-- CreateIndex
CREATE INDEX "password_resets_user_id_created_at_idx" ON "password_resets"("user_id", "created_at");

-- AddForeignKey
ALTER TABLE "password_resets" ADD CONSTRAINT "password_resets_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;
