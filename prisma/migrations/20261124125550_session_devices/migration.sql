-- AlterEnum
ALTER TYPE "session_end" ADD VALUE 'SESSION_LIMIT';

-- AlterTable
ALTER TABLE "sessions" ADD COLUMN     "device_ciphertext" TEXT,
ADD COLUMN     "device_index" BYTEA;

-- CreateIndex
CREATE INDEX "sessions_user_id_device_index_idx" ON "sessions"("user_id", "device_index");
