-- CreateTable
CREATE TABLE "remembered_devices" (
    "id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "token_hash" BYTEA NOT NULL,
    "device_index" BYTEA NOT NULL,
    "password_changed_at" TIMESTAMPTZ(3) NOT NULL,
    "device_ciphertext" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "last_used_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "remembered_devices_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "remembered_devices_token_hash_key" ON "remembered_devices"("token_hash");

-- CreateIndex
CREATE INDEX "remembered_devices_user_id_idx" ON "remembered_devices"("user_id");

-- AddForeignKey
ALTER TABLE "remembered_devices" ADD CONSTRAINT "remembered_devices_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- Any factor that goes, whoever removes or replaces it, takes with it what was remembered in its stead.
CREATE FUNCTION "forget_devices_of_factor"() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  DELETE FROM public.remembered_devices WHERE user_id = OLD.user_id;
  RETURN NULL;
END
$$;

CREATE TRIGGER "factors_forget_devices" AFTER DELETE ON "factors"
  FOR EACH ROW EXECUTE FUNCTION "forget_devices_of_factor"();
