-- CreateEnum
CREATE TYPE "mfa_enrollment_status" AS ENUM ('OPEN', 'CONFIRMED', 'ENDED');

-- AlterTable
ALTER TABLE "factors" DROP COLUMN "label",
ADD COLUMN     "label_ciphertext" TEXT;

-- CreateTable
CREATE TABLE "mfa_enrollments" (
    "id" UUID NOT NULL,
    "workflow_id" TEXT NOT NULL,
    "user_id" UUID NOT NULL,
    "type" "factor_type" NOT NULL,
    "status" "mfa_enrollment_status" NOT NULL DEFAULT 'OPEN',
    "label_ciphertext" TEXT,
    "secret_ciphertext" TEXT,
    "failed_attempts" INTEGER NOT NULL DEFAULT 0,
    "last_attempt_id" TEXT,
    "factor_id" UUID,
    "recovery_codes" BOOLEAN NOT NULL DEFAULT false,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "closed_at" TIMESTAMPTZ(3),

    CONSTRAINT "mfa_enrollments_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "login_challenges" (
    "token_hash" BYTEA NOT NULL,
    "user_id" UUID NOT NULL,
    "password_changed_at" TIMESTAMPTZ(3) NOT NULL,
    "device_index" BYTEA NOT NULL,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "login_challenges_pkey" PRIMARY KEY ("token_hash")
);

-- CreateIndex
CREATE INDEX "mfa_enrollments_user_id_type_idx" ON "mfa_enrollments"("user_id", "type");

-- CreateIndex
CREATE INDEX "login_challenges_user_id_idx" ON "login_challenges"("user_id");

-- CreateIndex
CREATE INDEX "login_challenges_expires_at_idx" ON "login_challenges"("expires_at");

-- AddForeignKey
ALTER TABLE "mfa_enrollments" ADD CONSTRAINT "mfa_enrollments_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "login_challenges" ADD CONSTRAINT "login_challenges_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;
