-- CreateTable
CREATE TABLE "audit_checkpoint" (
    "id" INTEGER NOT NULL DEFAULT 1,
    "sequence" BIGINT NOT NULL,
    "hash" BYTEA NOT NULL,
    "pruned_at" TIMESTAMPTZ(3) NOT NULL,
    "seal" TEXT NOT NULL,

    CONSTRAINT "audit_checkpoint_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "registrations_closed_at_idx" ON "registrations"("closed_at");

-- CreateIndex
CREATE INDEX "registrations_expires_at_idx" ON "registrations"("expires_at");

-- CreateIndex
CREATE INDEX "password_resets_expires_at_idx" ON "password_resets"("expires_at");

-- CreateIndex
CREATE INDEX "mail_deliveries_created_at_idx" ON "mail_deliveries"("created_at");

-- The trail may be dropped from its beginning, up to a checkpoint, when the legal time of its events is over; nothing else of it
-- ever goes. Whoever moves the checkpoint is bound to this, the owner too while the triggers stand: it names an event that is there,
-- it only goes forward, it leaves the last event, and no event before it is younger than a year.
CREATE FUNCTION "guard_audit_checkpoint"() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF TG_OP = 'DELETE' OR (TG_OP = 'UPDATE' AND NEW.sequence <= OLD.sequence) THEN
    RAISE EXCEPTION 'audit_checkpoint only goes forward' USING ERRCODE = 'insufficient_privilege';
  END IF;
  IF NOT EXISTS (SELECT 1 FROM public.audit_events WHERE sequence = NEW.sequence AND hash = NEW.hash)
    OR NEW.sequence >= (SELECT sequence FROM public.audit_chain WHERE id = 1)
    OR EXISTS (SELECT 1 FROM public.audit_events WHERE sequence <= NEW.sequence AND occurred_at > now() - interval '365 days')
  THEN
    RAISE EXCEPTION 'audit_checkpoint cannot go there' USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER "audit_checkpoint_guard" BEFORE INSERT OR UPDATE OR DELETE ON "audit_checkpoint"
FOR EACH ROW EXECUTE FUNCTION "guard_audit_checkpoint"();
CREATE TRIGGER "audit_checkpoint_no_truncate" BEFORE TRUNCATE ON "audit_checkpoint"
FOR EACH STATEMENT EXECUTE FUNCTION "refuse_audit_change"();
ALTER TABLE "audit_checkpoint" ENABLE ALWAYS TRIGGER "audit_checkpoint_guard";
ALTER TABLE "audit_checkpoint" ENABLE ALWAYS TRIGGER "audit_checkpoint_no_truncate";
ALTER TABLE "audit_checkpoint" ADD CONSTRAINT "audit_checkpoint_has_one_row" CHECK ("id" = 1);

CREATE FUNCTION "refuse_audit_event_change"() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF TG_OP = 'DELETE' AND OLD.sequence <= (SELECT sequence FROM public.audit_checkpoint WHERE id = 1) THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;
DROP TRIGGER "audit_events_append_only" ON "audit_events";
CREATE TRIGGER "audit_events_append_only" BEFORE UPDATE OR DELETE ON "audit_events"
FOR EACH ROW EXECUTE FUNCTION "refuse_audit_event_change"();
ALTER TABLE "audit_events" ENABLE ALWAYS TRIGGER "audit_events_append_only";

-- Runs as its owner: the role of the processes has the right to this function, and none to delete.
CREATE FUNCTION "prune_audit_events"("up_to" bigint, "checkpoint_seal" text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  pruned bigint;
BEGIN
  INSERT INTO public.audit_checkpoint (id, sequence, hash, pruned_at, seal)
  SELECT 1, sequence, hash, now(), checkpoint_seal FROM public.audit_events WHERE sequence = up_to
  ON CONFLICT (id) DO UPDATE SET
    sequence = excluded.sequence, hash = excluded.hash, pruned_at = excluded.pruned_at, seal = excluded.seal;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no such event' USING ERRCODE = 'no_data_found';
  END IF;
  DELETE FROM public.audit_events WHERE sequence <= up_to;
  GET DIAGNOSTICS pruned = ROW_COUNT;
  RETURN pruned;
END
$$;
REVOKE ALL ON FUNCTION "prune_audit_events"(bigint, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION "prune_audit_events"(bigint, text) TO CURRENT_USER;
GRANT DELETE ON "audit_events" TO CURRENT_USER;

-- What is over, by when it ended: an expression, which the schema file cannot say.
CREATE INDEX "sessions_over_idx" ON "sessions" ((coalesce("ended_at", "expires_at")));
