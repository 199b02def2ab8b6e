import type { FactorCodeRefusal } from '../contracts/factor-code-workflow';
import type { FactorKind } from '../contracts/mfa';

import type { Sql } from './sql';

export type FactorType = 'TOTP' | 'EMAIL_OTP' | 'SMS_OTP' | 'PASSKEY';

/** What the rows of each kind are called. */
export const FACTOR_TYPES = {
  totp: 'TOTP',
  email_otp: 'EMAIL_OTP',
  sms_otp: 'SMS_OTP',
  passkey: 'PASSKEY',
} as const satisfies Record<FactorKind, FactorType>;
/** The types that staff must have one of: no code by mail or SMS, which whoever has the mailbox or the number has as well. SQL. */
export const STRONG_TYPES = `'TOTP', 'PASSKEY'`;
const KINDS = Object.keys(FACTOR_TYPES) as FactorKind[];

/** @throws for a type that this release does not know */
export const kindOf = (type: string): FactorKind => {
  const kind = KINDS.find((candidate) => FACTOR_TYPES[candidate] === type);
  if (kind === undefined) throw new Error(`There is no second factor of the type ${type}`);
  return kind;
};

export interface EnrollmentIdentity {
  readonly enrollmentId: string;
  readonly userId: string;
}

/** What a code or response has proven. */
export interface ProvenFactor {
  /** Kept encrypted in the row of the factor. */
  readonly secret?: string;
  /** Of the code that was shown: it and older ones are used up. */
  readonly timeStep?: number;
  /** Writes what has a table of its own, after the row of the factor and in its transaction. */
  readonly store?: (
    sql: Sql,
    factor: { readonly factorId: string; readonly userId: string; readonly now: Date },
  ) => Promise<void>;
}

/** What tells one kind of factor from the others while it is being enrolled. `sql` is the transaction, which holds the account. */
export interface FactorStrategy {
  /** One factor of the kind at most: a new one takes the place of the old one. */
  readonly isSingle: boolean;
  /**
   * What the code is tried against, kept encrypted while the enrolment is open: a secret, or a challenge. Made before the row.
   * @throws {EnrollmentRefused} where there is to be no enrolment now
   */
  begin(sql: Sql, enrollment: EnrollmentIdentity): Promise<string> | string;
  /** Tries a code, or the response to the challenge. Undefined where it is wrong. */
  prove(
    sql: Sql,
    enrollment: EnrollmentIdentity & { readonly secret: string },
    code: string,
  ): Promise<ProvenFactor | undefined> | ProvenFactor | undefined;
}
export type FactorStrategies = Readonly<Record<FactorKind, FactorStrategy>>;

/** No enrolment, for now: the one before goes on. */
export class EnrollmentRefused extends Error {
  constructor(readonly refusal: FactorCodeRefusal) {
    super(refusal.refused);
    this.name = 'EnrollmentRefused';
  }
}

/** Codes of an authenticator app. */
export const createTotpStrategy = (totp: {
  newSecret(): string;
  match(secret: string, code: string): number | undefined;
}): FactorStrategy => ({
  isSingle: true,
  begin: () => totp.newSecret(),
  prove(_sql, { secret }, code) {
    const timeStep = totp.match(secret, code);
    return timeStep === undefined ? undefined : { secret, timeStep };
  },
});
