-- CreateEnum
CREATE TYPE "account_erasure_status" AS ENUM ('PENDING', 'ERASING', 'COMPLETED', 'CANCELLED');

-- CreateTable
CREATE TABLE "account_erasures" (
    "id" UUID NOT NULL,
    "workflow_id" TEXT NOT NULL,
    "user_id" UUID NOT NULL,
    "status" "account_erasure_status" NOT NULL DEFAULT 'PENDING',
    "requested_at" TIMESTAMPTZ(3) NOT NULL,
    "erase_at" TIMESTAMPTZ(3) NOT NULL,
    "closed_at" TIMESTAMPTZ(3),

    CONSTRAINT "account_erasures_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "account_erasures_user_id_requested_at_idx" ON "account_erasures"("user_id", "requested_at");

-- One open erasure of an account.
CREATE UNIQUE INDEX "account_erasures_open_key" ON "account_erasures" ("user_id") WHERE "status" IN ('PENDING', 'ERASING');

-- What was sent about a thing, by its id: it goes with the account.
CREATE INDEX "mail_deliveries_about_idx" ON "mail_deliveries" (split_part("key", '/', 2));
CREATE INDEX "registrations_person_id_idx" ON "registrations" ("person_id");
CREATE INDEX "notice_outbox_user_id_idx" ON "notice_outbox" ("user_id");
CREATE INDEX "passkey_challenges_session_id_idx" ON "passkey_challenges" ("session_id");
