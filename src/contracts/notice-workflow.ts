/** The sweep of the notice outbox: its workflow type, and the id of its runs and of its schedule. */
export const NOTICE_SWEEP = {
  workflowType: 'noticeSweep',
  /** Temporal appends the time of each scheduled start. */
  workflowId: 'notice-sweep',
  scheduleId: 'notice-sweep',
} as const;

/** A row of the outbox. */
export interface OutboxKey {
  readonly eventId: string;
  readonly name: string;
}

/** What became of one batch of a sweep. */
export interface SweptBatch {
  readonly enqueued: number;
  /** Could not be enqueued, and wait for the next sweep. */
  readonly left: number;
  /** The last row of the batch, where there may be more behind it. */
  readonly last?: OutboxKey | undefined;
}
