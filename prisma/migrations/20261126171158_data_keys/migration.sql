-- CreateEnum
CREATE TYPE "data_key_state" AS ENUM ('ACTIVE', 'RETIRING', 'RETIRED');

-- AlterTable: what was encrypted before has other keys, and is read no more.
ALTER TABLE "registrations" ADD COLUMN     "person_id" UUID;
UPDATE "registrations" SET "person_id" = coalesce("user_id", gen_random_uuid());
ALTER TABLE "registrations" ALTER COLUMN "person_id" SET NOT NULL;

-- CreateTable
CREATE TABLE "data_keys" (
    "id" TEXT NOT NULL,
    "purpose" TEXT NOT NULL,
    "state" "data_key_state" NOT NULL,
    "wrapped" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "retiring_at" TIMESTAMPTZ(3),
    "retired_at" TIMESTAMPTZ(3),

    CONSTRAINT "data_keys_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "person_keys" (
    "person_id" UUID NOT NULL,
    "secret" BYTEA,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "erased_at" TIMESTAMPTZ(3),

    CONSTRAINT "person_keys_pkey" PRIMARY KEY ("person_id")
);

-- CreateIndex
CREATE INDEX "data_keys_purpose_created_at_idx" ON "data_keys"("purpose", "created_at");

-- One key of a purpose encrypts.
CREATE UNIQUE INDEX "data_keys_active_key" ON "data_keys"("purpose") WHERE "state" = 'ACTIVE';

-- Whoever was erased stays so: nothing brings their secret back.
ALTER TABLE "person_keys" ADD CONSTRAINT "person_keys_erased_check" CHECK (("secret" IS NULL) = ("erased_at" IS NOT NULL));
CREATE FUNCTION keep_erased_person() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND NEW.person_id = OLD.person_id AND NEW.secret IS NULL AND NEW.erased_at = OLD.erased_at THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'an erased person is not brought back' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER person_keys_keep_erased BEFORE UPDATE OR DELETE ON "person_keys"
  FOR EACH ROW WHEN (OLD.erased_at IS NOT NULL) EXECUTE FUNCTION keep_erased_person();
