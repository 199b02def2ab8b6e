/** The rotation of the data keys: its workflow type, and the id of its runs and of its schedule. */
export const DATA_KEY_ROTATION = {
  workflowType: 'dataKeyRotation',
  /** Temporal appends the time of each scheduled start. */
  workflowId: 'data-key-rotation',
  scheduleId: 'data-key-rotation',
  /** Of a run that an operator ordered: there is one at a time. */
  orderedWorkflowId: 'data-key-rotation/ordered',
} as const;

export interface DataKeyRotationInput {
  /** Unix milliseconds: every key made before then is replaced. By default those whose time is up. */
  readonly madeBefore?: number | undefined;
}

/** How far the re-encryption of stored values is; also what a heartbeat carries, so that another worker goes on from there. */
export interface ReencryptionProgress {
  /** Position in the list of encrypted columns. */
  readonly column: number;
  /** The last row of the column that was looked at. */
  readonly after: string | null;
  /** Values that were encrypted anew. */
  readonly changed: number;
  /** Values of the columns before that cannot be read; each is in the audit trail. */
  readonly refused: number;
  /** The same of this pass over the column, and rows that somebody held or changed, which the next pass looks at again. */
  readonly pass: { readonly refused: number; readonly missed: number };
}

/** A key that no longer encrypts, and why it still has to decrypt. */
export interface RetiringKey {
  readonly id: string;
  readonly purpose: string;
  readonly reason: string;
}

export interface DataKeyRotationResult {
  readonly changed: number;
  readonly refused: number;
  readonly retired: readonly string[];
  readonly retiring: readonly RetiringKey[];
}
