/** The rotation of the keys that sign access tokens: its workflow type, and the id of its runs and of its schedule. */
export const SIGNING_KEY_ROTATION = {
  workflowType: 'signingKeyRotation',
  /** Temporal appends the time of each scheduled start. */
  workflowId: 'signing-key-rotation',
  scheduleId: 'signing-key-rotation',
} as const;

export interface SigningKeyRetirementInput {
  readonly keyId: string;
}

/** One for each key, whoever starts it; a key id is a thumbprint, and public. */
export const signingKeyRetirementId = (keyId: string): string => `signing-key-retirement/${keyId}`;
