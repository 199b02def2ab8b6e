-- CreateEnum
CREATE TYPE "account_recovery_status" AS ENUM ('WAITING', 'READY', 'COMPLETED', 'CANCELLED', 'DENIED', 'EXPIRED');

-- AlterEnum
ALTER TYPE "session_end" ADD VALUE 'ACCOUNT_RECOVERED';

-- CreateTable
CREATE TABLE "account_recoveries" (
    "id" UUID NOT NULL,
    "workflow_id" TEXT NOT NULL,
    "user_id" UUID NOT NULL,
    "status" "account_recovery_status" NOT NULL DEFAULT 'WAITING',
    "password_changed_at" TIMESTAMPTZ(3) NOT NULL,
    "device_ciphertext" TEXT NOT NULL,
    "cancel_token_hash" BYTEA NOT NULL,
    "token_hash" BYTEA,
    "token_expires_at" TIMESTAMPTZ(3),
    "requested_at" TIMESTAMPTZ(3) NOT NULL,
    "available_at" TIMESTAMPTZ(3) NOT NULL,
    "closed_at" TIMESTAMPTZ(3),
    "closed_by" TEXT,
    "last_attempt_id" TEXT,

    CONSTRAINT "account_recoveries_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "account_recovery_approvals" (
    "recovery_id" UUID NOT NULL,
    "approver_id" UUID NOT NULL,
    "evidence" TEXT NOT NULL,
    "is_admin" BOOLEAN NOT NULL,
    "approved_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "account_recovery_approvals_pkey" PRIMARY KEY ("recovery_id","approver_id")
);

-- CreateIndex
CREATE UNIQUE INDEX "account_recoveries_cancel_token_hash_key" ON "account_recoveries"("cancel_token_hash");

-- CreateIndex
CREATE UNIQUE INDEX "account_recoveries_token_hash_key" ON "account_recoveries"("token_hash");

-- CreateIndex
CREATE INDEX "account_recoveries_user_id_requested_at_idx" ON "account_recoveries"("user_id", "requested_at");

-- CreateIndex
CREATE INDEX "account_recoveries_status_id_idx" ON "account_recoveries"("status", "id");

-- AddForeignKey
ALTER TABLE "account_recoveries" ADD CONSTRAINT "account_recoveries_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "account_recovery_approvals" ADD CONSTRAINT "account_recovery_approvals_recovery_id_fkey" FOREIGN KEY ("recovery_id") REFERENCES "account_recoveries"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- One recovery at a time for each account.
CREATE UNIQUE INDEX "account_recoveries_open_key" ON "account_recoveries"("user_id") WHERE "status" IN ('WAITING', 'READY');
