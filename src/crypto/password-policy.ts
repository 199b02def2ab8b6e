import { dictionary } from '@zxcvbn-ts/language-common';

import { AppError, type FieldError } from '../contracts/errors';

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
  check(password: string, person: PersonalData): void;
}

/** Shorter parts ("et", "abe") stand in too many good passwords to be held against one. */
const MIN_PERSONAL_PART = 4;
/** What must be left of a password without its personal parts. */
const MIN_OWN_PART = 4;

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

/** Blocklist and personal data; length and characters are the schema's (NIST SP 800-63B-4, section 3.1.1.2). */
export const createPasswordPolicy = (): PasswordPolicy => {
  const common = new Set<string>(dictionary['passwords-common']);

  const reason = (password: string, person: PersonalData): Omit<FieldError, 'path'> | undefined => {
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
    check(password, person) {
      const found = reason(password, person);
      if (found !== undefined) throw new AppError('validation_failed', { errors: [{ path: '/password', ...found }] });
    },
  };
};
