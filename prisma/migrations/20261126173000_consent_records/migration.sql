-- CreateEnum
CREATE TYPE "consent_act" AS ENUM ('GIVEN', 'WITHDRAWN');

-- CreateEnum
CREATE TYPE "consent_source" AS ENUM ('REGISTRATION', 'ACCOUNT');

-- CreateTable
CREATE TABLE "consent_records" (
    "id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "purpose" TEXT NOT NULL,
    "version" TEXT NOT NULL,
    "act" "consent_act" NOT NULL,
    "source" "consent_source" NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "origin_ciphertext" TEXT,

    CONSTRAINT "consent_records_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "consent_records_user_id_purpose_at_idx" ON "consent_records"("user_id", "purpose", "at");

-- AddForeignKey
ALTER TABLE "consent_records" ADD CONSTRAINT "consent_records_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- What was given so far, and what was withdrawn of it.
INSERT INTO "consent_records" ("id", "user_id", "purpose", "version", "act", "source", "at")
SELECT gen_random_uuid(), "user_id", "purpose", "version", 'GIVEN'::"consent_act", 'REGISTRATION'::"consent_source", "given_at" FROM "consents"
UNION ALL
SELECT gen_random_uuid(), "user_id", "purpose", "version", 'WITHDRAWN'::"consent_act", 'ACCOUNT'::"consent_source", "withdrawn_at" FROM "consents"
WHERE "withdrawn_at" IS NOT NULL;

-- DropTable
DROP TABLE "consents";

-- A history: rows are added, and go with their account. Only the key of an origin may become another one.
CREATE TRIGGER "consent_records_append_only" BEFORE UPDATE ON "consent_records"
FOR EACH ROW WHEN (
  (OLD."id", OLD."user_id", OLD."purpose", OLD."version", OLD."act", OLD."source", OLD."at")
  IS DISTINCT FROM (NEW."id", NEW."user_id", NEW."purpose", NEW."version", NEW."act", NEW."source", NEW."at")
) EXECUTE FUNCTION "refuse_audit_change"();
ALTER TABLE "consent_records" ENABLE ALWAYS TRIGGER "consent_records_append_only";
