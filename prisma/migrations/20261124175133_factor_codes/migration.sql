-- CreateEnum
CREATE TYPE "factor_code_purpose" AS ENUM ('ENROLLMENT', 'LOGIN', 'STEP_UP');

-- CreateTable
CREATE TABLE "factor_codes" (
    "id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "type" "factor_type" NOT NULL,
    "purpose" "factor_code_purpose" NOT NULL,
    "bound_to" BYTEA NOT NULL,
    "contact_index" BYTEA NOT NULL,
    "code_hash" BYTEA,
    "failed_attempts" INTEGER NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "factor_codes_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "factor_codes_user_id_type_created_at_idx" ON "factor_codes"("user_id", "type", "created_at");

-- CreateIndex
CREATE INDEX "factor_codes_contact_index_created_at_idx" ON "factor_codes"("contact_index", "created_at");

-- CreateIndex
CREATE INDEX "factor_codes_type_created_at_idx" ON "factor_codes"("type", "created_at");

-- AddForeignKey
ALTER TABLE "factor_codes" ADD CONSTRAINT "factor_codes_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;
