/** The retention of personal data: its workflow type, and the id of its runs and of its schedule. */
export const RETENTION = {
  workflowType: 'retention',
  /** Temporal appends the time of each scheduled start. */
  workflowId: 'retention',
  scheduleId: 'retention',
} as const;

/** What becomes of one kind of data. */
export interface RetentionStep {
  readonly policy: string;
  /** What the operator reads. */
  readonly summary: string;
}

/** Rows that went or were emptied, by policy. */
export type RetentionResult = Readonly<Record<string, number>>;
