import { describe, expect, it } from '@jest/globals';

import { AppError } from '../contracts/errors';

import { createPasswordPolicy } from './password-policy';

const policy = createPasswordPolicy();
const person = {
  email: 'abebe.bikila@example.et',
  phone: '+251911234567',
  faydaId: '614079823471',
  firstName: 'Abebe',
  lastName: 'Bikila',
};

const reasonFor = (password: string): string | undefined => {
  try {
    policy.check(password, person);
    return undefined;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return error.errors?.[0]?.code;
  }
};

describe('the password policy', () => {
  it.each(['12345678', 'password1', 'Qwertyuiop', 'iloveyou'])('refuses %s as common', (password) => {
    expect(reasonFor(password)).toBe('password_too_common');
  });

  it.each(['aaaaaaaaaa', 'abababababab'])('refuses %s as too simple', (password) => {
    expect(reasonFor(password)).toBe('password_too_simple');
  });

  it.each(['abebe.bikila', 'Bikila-99', '0911234567', '614079823471', 'meqenet1', 'abebe.bikila@example.et'])(
    'refuses %s as made of the person’s own data',
    (password) => {
      expect(reasonFor(password)).toBe('password_personal');
    },
  );

  it.each(['correct horse battery staple', 'የኔ ሚስጥር ቃል', 'Tr0ub4dor&3-abebe-likes-it', '🔑🗝️🔐🔒🔓🛡️⚔️🏰'])(
    'takes %s',
    (password) => {
      expect(reasonFor(password)).toBeUndefined();
    },
  );
});
