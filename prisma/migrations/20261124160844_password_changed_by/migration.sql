-- AlterTable
ALTER TABLE "password_credentials" ADD COLUMN     "changed_by" TEXT;
