-- CreateIndex
CREATE INDEX "users_status_id_idx" ON "users"("status", "id");
