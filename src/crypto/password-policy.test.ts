import { describe, expect, it } from '@jest/globals';

import { AppError } from '../contracts/errors';

import { createPasswordPolicy, type PasswordPolicy } from './password-policy';

const policy = createPasswordPolicy({ policy: 'standard' });
const person = {
  email: 'abebe.bikila@example.et',
  phone: '+251911234567',
  faydaId: '614079823471',
  firstName: 'Abebe',
  lastName: 'Bikila',
};

const reasonFor = async (
  password: string,
  { by = policy, hasSecondFactor = false }: { by?: PasswordPolicy; hasSecondFactor?: boolean } = {},
): Promise<string | undefined> => {
  try {
    await by.check(password, { person, hasSecondFactor, path: '/password' });
    return undefined;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return error.errors?.[0]?.code;
  }
};

describe('the password policy', () => {
  it.each(['12345678', 'password1', 'Qwertyuiop', 'iloveyou'])('refuses %s as common', async (password) => {
    expect(await reasonFor(password)).toBe('password_too_common');
  });

  it.each(['aaaaaaaaaa', 'abababababab'])('refuses %s as too simple', async (password) => {
    expect(await reasonFor(password)).toBe('password_too_simple');
  });

  it.each(['abebe.bikila', 'Bikila-99', '0911234567', '614079823471', 'meqenet1', 'abebe.bikila@example.et'])(
    'refuses %s as made of the person’s own data',
    async (password) => {
      expect(await reasonFor(password)).toBe('password_personal');
    },
  );

  it.each(['correct horse battery staple', 'የኔ ሚስጥር ቃል', 'Tr0ub4dor&3-abebe-likes-it', '🔑🗝️🔐🔒🔓🛡️⚔️🏰'])(
    'takes %s',
    async (password) => {
      expect(await reasonFor(password)).toBeUndefined();
    },
  );

  it('asks for 15 code points where no second factor is on, if so configured', async () => {
    const by = createPasswordPolicy({ policy: 'nist-single-factor' });
    const [short, long] = ['የኔ ሚስጥር ቃል 123', 'የኔ ሚስጥር ቃል 1234'];
    expect([[...short].length, [...long].length]).toEqual([14, 15]);
    expect(await reasonFor(short, { by })).toBe('password_too_short');
    expect(await reasonFor(long, { by })).toBeUndefined();
    expect(await reasonFor(short, { by, hasSecondFactor: true })).toBeUndefined();
    expect(await reasonFor(short)).toBeUndefined();
  });

  it('asks the breach check last, and believes it', async () => {
    const asked: string[] = [];
    const breachCheck = (password: string) => Promise.resolve(asked.push(password) > 0);
    const by = createPasswordPolicy({ policy: 'standard', breachCheck });
    expect(await reasonFor('12345678', { by })).toBe('password_too_common');
    expect(asked).toEqual([]);
    expect(await reasonFor('a stolen password', { by })).toBe('password_breached');
    expect(asked).toEqual(['a stolen password']);
  });
});
