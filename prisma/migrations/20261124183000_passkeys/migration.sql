-- CreateTable
CREATE TABLE "passkeys" (
    "factor_id" UUID NOT NULL,
    "credential_id" BYTEA NOT NULL,
    "public_key" BYTEA NOT NULL,
    "user_handle" BYTEA NOT NULL,
    "sign_count" BIGINT NOT NULL,
    "transports" TEXT[],
    "backup_eligible" BOOLEAN NOT NULL,
    "backed_up" BOOLEAN NOT NULL,
    "aaguid" UUID NOT NULL,
    "last_used_at" TIMESTAMPTZ(3),
    "suspected_at" TIMESTAMPTZ(3),

    CONSTRAINT "passkeys_pkey" PRIMARY KEY ("factor_id")
);

-- CreateTable
CREATE TABLE "passkey_challenges" (
    "hash" BYTEA NOT NULL,
    "session_id" UUID,
    "login_token_hash" BYTEA,
    "device_index" BYTEA NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "passkey_challenges_pkey" PRIMARY KEY ("hash")
);

-- CreateIndex
CREATE UNIQUE INDEX "passkeys_credential_id_key" ON "passkeys"("credential_id");

-- CreateIndex
CREATE INDEX "passkey_challenges_login_token_hash_idx" ON "passkey_challenges"("login_token_hash");

-- CreateIndex
CREATE INDEX "passkey_challenges_expires_at_idx" ON "passkey_challenges"("expires_at");

-- AddForeignKey
ALTER TABLE "passkeys" ADD CONSTRAINT "passkeys_factor_id_fkey" FOREIGN KEY ("factor_id") REFERENCES "factors"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "passkey_challenges" ADD CONSTRAINT "passkey_challenges_login_token_hash_fkey" FOREIGN KEY ("login_token_hash") REFERENCES "login_challenges"("token_hash") ON DELETE CASCADE ON UPDATE CASCADE;

-- Of every other type an account has one; what is proven anew takes the old one's place in the same transaction.
CREATE UNIQUE INDEX "factors_one_of_a_type" ON "factors" ("user_id", "type") WHERE "type" <> 'PASSKEY';
