-- AlterTable
ALTER TABLE "audit_events" ADD COLUMN     "actor_kind" TEXT NOT NULL,
ADD COLUMN     "origin_ciphertext" TEXT,
ADD COLUMN     "outcome" TEXT NOT NULL,
ADD COLUMN     "seal" TEXT NOT NULL,
ALTER COLUMN "sequence" DROP DEFAULT,
ALTER COLUMN "details" SET DATA TYPE TEXT,
ALTER COLUMN "previous_hash" SET NOT NULL;
DROP SEQUENCE "audit_events_sequence_seq";

-- CreateTable
CREATE TABLE "audit_chain" (
    "id" INTEGER NOT NULL DEFAULT 1,
    "sequence" BIGINT NOT NULL,
    "hash" BYTEA NOT NULL,

    CONSTRAINT "audit_chain_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "audit_events_actor_id_sequence_idx" ON "audit_events"("actor_id", "sequence");

-- CreateIndex
CREATE INDEX "audit_events_occurred_at_idx" ON "audit_events" USING BRIN ("occurred_at");

ALTER TABLE "audit_chain" ADD CONSTRAINT "audit_chain_has_one_row" CHECK ("id" = 1);
INSERT INTO "audit_chain" ("id", "sequence", "hash") VALUES (1, 0, decode(repeat('00', 32), 'hex'));

-- Numbers an event and chains it to the one before. It holds the chain's row until the transaction ends, so that events have
-- one order, without gaps. It runs as its owner: the service's role has no right to the chain but to read it.
-- The canonical text is that of src/repositories/audit-content.ts.
CREATE FUNCTION "chain_audit_event"() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  last_sequence bigint;
  last_hash bytea;
  field text;
  content text := '';
BEGIN
  FOREACH field IN ARRAY ARRAY[
    NEW.id::text, (extract(epoch FROM NEW.occurred_at) * 1000)::bigint::text, NEW.action, NEW.outcome, NEW.actor_kind,
    NEW.actor_id::text, NEW.subject_id::text, NEW.request_id, NEW.workflow_id, NEW.origin_ciphertext, NEW.details
  ] LOOP
    content := content || CASE WHEN field IS NULL THEN '-' ELSE octet_length(field)::text || ':' || field END || ',';
  END LOOP;
  SELECT sequence, hash INTO STRICT last_sequence, last_hash FROM public.audit_chain WHERE id = 1 FOR UPDATE;
  NEW.sequence := last_sequence + 1;
  NEW.previous_hash := last_hash;
  NEW.hash := sha256(last_hash || int8send(NEW.sequence) || convert_to(NEW.seal, 'UTF8') || convert_to(content, 'UTF8'));
  UPDATE public.audit_chain SET sequence = NEW.sequence, hash = NEW.hash WHERE id = 1;
  RETURN NEW;
END
$$;

CREATE FUNCTION "refuse_audit_change"() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER "audit_events_chain" BEFORE INSERT ON "audit_events"
FOR EACH ROW EXECUTE FUNCTION "chain_audit_event"();
CREATE TRIGGER "audit_events_append_only" BEFORE UPDATE OR DELETE ON "audit_events"
FOR EACH ROW EXECUTE FUNCTION "refuse_audit_change"();
CREATE TRIGGER "audit_events_no_truncate" BEFORE TRUNCATE ON "audit_events"
FOR EACH STATEMENT EXECUTE FUNCTION "refuse_audit_change"();
CREATE TRIGGER "audit_chain_stays" BEFORE INSERT OR DELETE ON "audit_chain"
FOR EACH ROW EXECUTE FUNCTION "refuse_audit_change"();
CREATE TRIGGER "audit_chain_no_truncate" BEFORE TRUNCATE ON "audit_chain"
FOR EACH STATEMENT EXECUTE FUNCTION "refuse_audit_change"();
-- Also in a session that plays the replica, which runs no ordinary triggers.
ALTER TABLE "audit_events" ENABLE ALWAYS TRIGGER "audit_events_chain";
ALTER TABLE "audit_events" ENABLE ALWAYS TRIGGER "audit_events_append_only";
ALTER TABLE "audit_events" ENABLE ALWAYS TRIGGER "audit_events_no_truncate";
ALTER TABLE "audit_chain" ENABLE ALWAYS TRIGGER "audit_chain_stays";
ALTER TABLE "audit_chain" ENABLE ALWAYS TRIGGER "audit_chain_no_truncate";

REVOKE ALL ON "audit_events", "audit_chain" FROM PUBLIC;
REVOKE UPDATE, DELETE, TRUNCATE ON "audit_events" FROM CURRENT_USER;
REVOKE DELETE, TRUNCATE ON "audit_chain" FROM CURRENT_USER;
