-- AlterTable
ALTER TABLE "sessions" ADD COLUMN     "strong" BOOLEAN NOT NULL DEFAULT false;

-- Sessions of two factors that are open: by an app or a recovery code, as no account had another kind before.
UPDATE "sessions" SET "strong" = true WHERE "acr" = 'aal2' AND "ended_at" IS NULL;
