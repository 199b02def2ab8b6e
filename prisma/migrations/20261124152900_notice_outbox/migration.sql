-- CreateTable
CREATE TABLE "notice_outbox" (
    "event_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "user_id" UUID NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "notice_outbox_pkey" PRIMARY KEY ("event_id","name")
);
