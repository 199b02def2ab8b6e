import { dictionary } from '@zxcvbn-ts/language-common';

import type { SecurityConfig } from '../config/security.config';
import { AppError, type FieldError } from '../contracts/errors';
import { MIN_SINGLE_FACTOR_LENGTH } from '../contracts/password';

import type { BreachCheck } from './breach-check';

/** What a person tells of themselves; no password may be made of it. */
export interface PersonalData {
  readonly email: string;
  readonly phone?: string | undefined;
  readonly faydaId?: string | undefined;
  readonly firstName?: string | undefined;
  readonly lastName?: string | undefined;
}

export interface PasswordPolicy {
  /** @throws {AppError} `validation_failed` with the reason as the field's code */
  check(password: string, context: PasswordContext): Promise<void>;
}

export interface PasswordContext {
  readonly person: PersonalData;
  readonly hasSecondFactor: boolean;
  /** The field of the request that holds it. */
  readonly path: '/password' | '/newPassword';
}

interface Dependencies {
  readonly policy: SecurityConfig['passwordPolicy'];
  /** The service that knows breached passwords; without one the offline list decides alone. */
  readonly breachCheck?: BreachCheck | undefined;
}

/** Shorter parts ("et", "abe") stand in too many good passwords to be held against one. */
const MIN_PERSONAL_PART = 4;
/** What must be left of a password without its personal parts. */
const MIN_OWN_PART = 4;

const BREACHED = {
  code: 'password_breached',
  message: 'is on a list of passwords that were stolen elsewhere',
} as const;

/** Letters and digits in lower case: "Abebe-1990" and "abebe 1990" are the same guess. */
const simplify = (value: string): string => value.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');

const personalParts = ({ email, phone, faydaId, firstName, lastName }: PersonalData): string[] =>
  [...email.split(/[@.+_-]/), email, phone?.replace(/^\+251/, ''), faydaId, firstName, lastName, 'meqenet']
    .map((part) => simplify(part ?? ''))
    .filter((part) => part.length >= MIN_PERSONAL_PART);

/** Made of personal data: what is left beside the known parts would not be a password by itself. */
const isPersonal = (password: string, person: PersonalData): boolean => {
  const simple = simplify(password);
  const longestFirst = personalParts(person).sort((a, b) => b.length - a.length);
  const rest = longestFirst.reduce((left, part) => left.replaceAll(part, ''), simple);
  return rest !== simple && rest.length < MIN_OWN_PART;
};

/**
 * Blocklist, personal data and the length where there is no second factor; the bounds of all lengths and the characters are
 * the schema's (NIST SP 800-63B-4, section 3.1.1.2). The list has 49 thousand entries and takes the process some 16 MB.
 */
export const createPasswordPolicy = ({ policy, breachCheck }: Dependencies): PasswordPolicy => {
  const common = new Set<string>(dictionary['passwords-common']);

  const reason = (
    password: string,
    { person, hasSecondFactor }: PasswordContext,
  ): Omit<FieldError, 'path'> | undefined => {
    if (policy === 'nist-single-factor' && !hasSecondFactor && [...password].length < MIN_SINGLE_FACTOR_LENGTH) {
      const least = String(MIN_SINGLE_FACTOR_LENGTH);
      return { code: 'password_too_short', message: `must have at least ${least} characters without a second factor` };
    }
    if (common.has(password.toLowerCase()) || common.has(simplify(password))) {
      return { code: 'password_too_common', message: 'is among the passwords that are tried first' };
    }
    if (new Set(password).size < 3) {
      return { code: 'password_too_simple', message: 'repeats the same characters' };
    }
    if (isPersonal(password, person)) {
      return { code: 'password_personal', message: 'is made of your own data' };
    }
    return undefined;
  };

  return {
    async check(password, context) {
      const found = reason(password, context) ?? ((await breachCheck?.(password)) === true ? BREACHED : undefined);
      if (found !== undefined) throw new AppError('validation_failed', { errors: [{ path: context.path, ...found }] });
    },
  };
};
