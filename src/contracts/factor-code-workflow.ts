export const FACTOR_CODE_WORKFLOW = 'factorCode';

/** Second factors whose code is sent. */
export type SentFactor = 'email_otp' | 'sms_otp';

/** One for each code: asked for twice it is sent once. */
export const factorCodeWorkflowId = (codeId: string): string => `factor-code/${codeId}`;

/** Ids only: the code follows from its id where it is sent, and the address is read there. */
export interface FactorCodeInput {
  readonly codeId: string;
  readonly factor: SentFactor;
}

/** Why no code is sent. */
export type FactorCodeRefusal =
  | {
      readonly refused: 'too_soon' | 'limit_reached' | 'channel_exhausted' | 'cooling_off';
      readonly retryAfterMs: number;
    }
  /** The account is not active any more, or has no proven phone, or no factor of the kind. */
  | { readonly refused: 'closed' | 'phone_not_verified' | 'factor_not_found' };
