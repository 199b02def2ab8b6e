import { randomUUID } from 'node:crypto';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Pool } from 'pg';
import { v7 as uuidv7 } from 'uuid';

import { loadConfig } from '../../src/config/load';
import type { BlindIndex, FieldCipher } from '../../src/contracts/data-protection';
import {
  registrationLocations,
  type RegistrationProfile as Profile,
  type VerifyOutcome,
} from '../../src/contracts/registration-workflow';
import { buildProtection } from '../../src/container/protection';
import { createVerificationCodes, type VerificationCodes } from '../../src/crypto/verification-code';
import { createDatabase, type Database } from '../../src/repositories/prisma-client';
import {
  createRegistrationRepository,
  type RegistrationRepository,
} from '../../src/repositories/registration-repository';
import { createLoginRepository } from '../../src/repositories/login-repository';
import { createUserRepository, type UserRepository } from '../../src/repositories/user-repository';
import { databaseFootprint, databaseText } from '../support/footprint';
import { newFaydaId, newPerson, newPhone, wrongCode } from '../support/people';
import { useStack } from '../support/stack';

let pool: Pool;
let database: Database;
let blindIndex: BlindIndex;
let users: UserRepository;
let registrations: RegistrationRepository;
let codes: VerificationCodes;
let cipher: FieldCipher;

// Hooks run in the order in which they are registered: this one before the stack stops.
afterAll(async () => {
  await database.$disconnect();
  await pool.end();
});
const stack = useStack('postgres');
beforeAll(() => {
  const config = loadConfig(['database', 'keys', 'security'], stack.env);
  pool = new Pool({ connectionString: config.database.url, max: 4 });
  // Idle connections may end with the database.
  pool.on('error', () => undefined);
  database = createDatabase(config.database);
  const protection = buildProtection(config, database);
  cipher = protection.ciphers.fields;
  blindIndex = protection.blindIndex;
  codes = createVerificationCodes(config.security.tokenKey);
  users = createUserRepository({ database, cipher, blindIndex });
  registrations = createRegistrationRepository({ database, cipher, users, codes, ...protection });
});

const PASSWORD_HASH = '$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNo';

const profileOf = (change: Partial<Profile> = {}): Profile => ({
  email: newPerson().email,
  locale: 'en',
  consents: [{ purpose: 'marketing', version: '2026-01' }],
  ...change,
});
/** The same for the same registration, as that of a workflow's input is. */
const personOf = (registrationId: string): string => registrationId.replace(/^.{8}/, '019ac0de');
const create = async (profile = profileOf(), registrationId = uuidv7()): Promise<string> => {
  const workflowId = `registration/${registrationId}`;
  const personId = personOf(registrationId);
  const locations = registrationLocations(workflowId, personId);
  await registrations.createPending({
    registrationId,
    workflowId,
    expiresAt: new Date(Date.now() + 86_400_000),
    submission: {
      personId,
      profileCiphertext: await cipher.encrypt(JSON.stringify(profile), locations.profile),
      passwordHashCiphertext: await cipher.encrypt(PASSWORD_HASH, locations.passwordHash),
    },
  });
  return registrationId;
};
const activate = (id: string, attemptId: string = randomUUID(), code = codes.code(id, 1)): Promise<VerifyOutcome> =>
  registrations.activate(id, { code, attemptId });
const rowOf = async (id: string): Promise<Record<string, unknown>> => {
  const { rows } = await pool.query<Record<string, unknown>>('SELECT * FROM registrations WHERE id = $1', [id]);
  return rows[0] ?? {};
};
const count = async (table: 'users' | 'user_roles' | 'password_credentials' | 'consent_records'): Promise<number> => {
  const { rows } = await pool.query<{ count: number }>(`SELECT count(*)::int AS count FROM ${table}`);
  return rows[0]?.count ?? NaN;
};
const aMinuteLater = (id: string) =>
  pool.query(`UPDATE registrations SET last_issued_at = last_issued_at - interval '61 seconds' WHERE id = $1`, [id]);

describe('an activity that runs twice, because its first answer was lost,', () => {
  /** Runs it again and proves that nothing is different afterwards. @returns both answers */
  const twice = async <T>(work: () => Promise<T>): Promise<[T, T]> => {
    const first = await work();
    const footprint = await databaseFootprint({ database: pool });
    const second = await work();
    expect(await databaseFootprint({ database: pool })).toEqual(footprint);
    return [first, second];
  };

  it('stores one registration', async () => {
    const [id, profile] = [uuidv7(), profileOf({ phone: newPhone(), faydaId: newFaydaId() })];
    await twice(() => create(profile, id));
    expect(await rowOf(id)).toMatchObject({ kind: 'SIGN_UP', status: 'VERIFICATION_PENDING', codes_issued: 1 });
    expect(await registrations.findOpen(id)).toMatchObject({ profile });
  });

  it('stores one, and of the same kind, though its address was taken meanwhile', async () => {
    const profile = profileOf();
    const [first, second] = [await create(profile), await create(profile)];
    expect((await activate(first)).outcome).toBe('activated');
    await twice(() => create(profile, second));
    expect(await rowOf(second)).toMatchObject({ kind: 'SIGN_UP' });
  });

  it('opens one account and gives the same answer', async () => {
    const [before, id, attemptId] = [await count('users'), await create(), randomUUID()];
    const [first, second] = await twice(() => activate(id, attemptId));
    expect(first).toEqual({ outcome: 'activated', userId: expect.stringMatching(/^[0-9a-f-]{36}$/) });
    expect(second).toEqual(first);
    expect(await count('users')).toBe(before + 1);
    // Another try of the same code is somebody else's.
    expect(await activate(id)).toEqual({ outcome: 'already_completed' });
  });

  it('counts a wrong code once', async () => {
    const [id, attemptId] = [await create(), randomUUID()];
    const wrong = wrongCode(codes.code(id, 1));
    const answers = await twice(() => activate(id, attemptId, wrong));
    expect(answers).toEqual([{ outcome: 'invalid_code' }, { outcome: 'invalid_code' }]);
    expect(await rowOf(id)).toMatchObject({ failed_attempts: 1 });
    for (let attempt = 2; attempt <= 5; attempt += 1)
      expect(await activate(id, randomUUID(), wrong)).toEqual({ outcome: 'invalid_code' });
    expect(await activate(id, randomUUID(), wrong)).toEqual({ outcome: 'too_many_attempts' });
    expect(await activate(id)).toEqual({ outcome: 'too_many_attempts' });
  });

  it('issues one code', async () => {
    const [id, resendId] = [await create(), randomUUID()];
    expect(await registrations.reissueCode(id, resendId)).toMatchObject({ outcome: 'too_soon' });
    await aMinuteLater(id);
    const answers = await twice(() => registrations.reissueCode(id, resendId));
    expect(answers).toEqual([
      { outcome: 'issued', issue: 2 },
      { outcome: 'issued', issue: 2 },
    ]);
    // The older code stops working, the newer one works.
    expect(await activate(id, randomUUID(), codes.code(id, 1))).toEqual({ outcome: 'invalid_code' });
    expect((await activate(id, randomUUID(), codes.code(id, 2))).outcome).toBe('activated');
  });

  it('closes it once', async () => {
    const id = await create();
    await twice(() => registrations.expire(id));
    expect(await rowOf(id)).toMatchObject({ status: 'EXPIRED' });
    expect(await activate(id)).toEqual({ outcome: 'expired' });
    expect(await registrations.reissueCode(id, randomUUID())).toEqual({ outcome: 'expired' });
  });

  it('touches nothing that is closed', async () => {
    const id = await create();
    await activate(id);
    const footprint = await databaseFootprint({ database: pool });
    await registrations.expire(id);
    expect(await registrations.reissueCode(id, randomUUID())).toEqual({ outcome: 'already_completed' });
    expect(await activate(id)).toEqual({ outcome: 'already_completed' });
    expect(await databaseFootprint({ database: pool })).toEqual(footprint);
  });

  it('at the same time as its first run, does no harm either', async () => {
    const [id, profile] = [uuidv7(), profileOf()];
    const before = await count('users');
    await Promise.all(Array.from({ length: 8 }, () => create(profile, id)));
    const attemptId = randomUUID();
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => activate(id, attemptId)));
    expect(new Set(outcomes.map((outcome) => JSON.stringify(outcome))).size).toBe(1);
    expect(outcomes[0]?.outcome).toBe('activated');
    expect(await count('users')).toBe(before + 1);
  });
});

describe('registrations that want the same thing', () => {
  it.each<[string, () => Partial<Profile>, string]>([
    ['address', () => ({ email: newPerson().email }), 'ADDRESS_TAKEN'],
    ['phone', () => ({ phone: newPhone() }), 'DETAILS_TAKEN'],
    ['Fayda ID', () => ({ faydaId: newFaydaId() }), 'DETAILS_TAKEN'],
  ])('(%s) and are completed at the same time make exactly one account', async (_name, makeShared, kind) => {
    for (let round = 0; round < 5; round += 1) {
      const shared = makeShared();
      const ids = await Promise.all(Array.from({ length: 4 }, () => create(profileOf(shared))));
      const before = { users: await count('users'), passwords: await count('password_credentials') };
      const outcomes = await Promise.all(ids.map((id) => activate(id)));
      expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual([
        'activated',
        'invalid_code',
        'invalid_code',
        'invalid_code',
      ]);
      expect(await count('users')).toBe(before.users + 1);
      expect(await count('password_credentials')).toBe(before.passwords + 1);
      // The others are decoys from now on: no code completes them, and a new one is of no use.
      for (const [index, id] of ids.entries()) {
        if (outcomes[index]?.outcome === 'activated') continue;
        expect(await rowOf(id)).toMatchObject({ kind, code_hash: null, user_id: null });
        await aMinuteLater(id);
        expect(await registrations.reissueCode(id, randomUUID())).toEqual({ outcome: 'issued', issue: 2 });
        expect(await activate(id, randomUUID(), codes.code(id, 2))).toEqual({ outcome: 'invalid_code' });
      }
    }
  });

  it('have one right try among many at once', async () => {
    const id = await create();
    const before = await count('users');
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => activate(id)));
    expect(outcomes.filter(({ outcome }) => outcome === 'activated')).toHaveLength(1);
    expect(outcomes.filter(({ outcome }) => outcome === 'already_completed')).toHaveLength(9);
    expect(await count('users')).toBe(before + 1);
  });

  it('are at most five that are sent mail, though ten come at once', async () => {
    const shared = { email: newPerson().email };
    const ids = await Promise.all(Array.from({ length: 10 }, () => create(profileOf(shared))));
    const kinds = await Promise.all(ids.map(async (id) => (await rowOf(id))['kind'] as string));
    expect(kinds.filter((kind) => kind === 'SIGN_UP')).toHaveLength(5);
    expect(kinds.filter((kind) => kind === 'MUTED')).toHaveLength(5);
  });
});

describe('personal data', () => {
  const secrets = (profile: Profile): string[] =>
    [profile.email, profile.phone, profile.faydaId, profile.firstName, profile.lastName].filter(
      (value) => value !== undefined,
    );

  it('is dropped when a registration expires, and when it is completed', async () => {
    const full = () => profileOf({ phone: newPhone(), faydaId: newFaydaId(), firstName: 'Abebe', lastName: 'Bikila' });
    const [expired, completed] = [await create(full()), await create(full())];
    expect(await rowOf(expired)).toMatchObject({
      profile_ciphertext: expect.any(String),
      password_hash_ciphertext: expect.any(String),
    });
    await registrations.expire(expired);
    await activate(completed);
    for (const id of [expired, completed]) {
      expect(await rowOf(id)).toMatchObject({
        profile_ciphertext: null,
        password_hash_ciphertext: null,
        email_index: null,
        code_hash: null,
        closed_at: expect.any(Date),
      });
      expect(await registrations.findOpen(id)).toBeUndefined();
    }
  });

  it('stands nowhere in the clear, neither as text nor as bytes', async () => {
    const people = [1, 2, 3].map((index) =>
      profileOf({
        phone: newPhone(),
        faydaId: newFaydaId(),
        firstName: `Wonderworker${String(index)}`,
        lastName: `ገብረማርያም${String(index)}`,
      }),
    );
    const [pending, completed, expired] = await Promise.all(people.map((profile) => create(profile)));
    await activate(completed ?? '');
    await registrations.expire(expired ?? '');
    const text = (await databaseText({ database: pool })).toLowerCase();
    // What is looked for can be found: ids, and the hash of the password of an account, stand there as they are.
    expect(text).toContain(pending);
    expect(text).toContain(`password_credentials`);
    expect(text).toContain(PASSWORD_HASH.toLowerCase());
    // Not so the hash of a registration that is open (or was).
    expect(
      text
        .split('\n')
        .filter((line) => line.startsWith('registrations '))
        .join(),
    ).not.toContain('argon2');
    for (const secret of people.flatMap(secrets)) {
      const forms = [
        secret,
        secret.replace('+251', ''),
        Buffer.from(secret).toString('hex'),
        Buffer.from(secret).toString('base64'),
      ];
      for (const form of forms) expect(text).not.toContain(form.toLowerCase());
    }
    for (const id of [pending, completed, expired]) {
      // The code works on paper and in the mail only.
      const code = codes.code(id ?? '', 1);
      expect(Object.values(await rowOf(id ?? '')).map(String)).not.toContain(code);
    }
  });

  it('of an account is read back as it was given', async () => {
    const profile = profileOf({
      phone: newPhone(),
      faydaId: newFaydaId(),
      firstName: 'አበበ',
      lastName: 'Bikila',
      locale: 'am',
    });
    const outcome = await activate(await create(profile));
    const user = await users.findById(outcome.outcome === 'activated' ? outcome.userId : '');
    const { email, phone, faydaId, firstName, lastName, locale } = profile;
    expect(user).toMatchObject({
      email,
      phone,
      faydaId,
      firstName,
      lastName,
      locale,
      roles: ['CUSTOMER'],
      status: 'ACTIVE',
    });
    const logins = createLoginRepository(database);
    const login = { account: { userId: user?.id, passwordHash: PASSWORD_HASH }, failures: [] };
    const [byEmail, byPhone] = [blindIndex.of('email', email), blindIndex.of('phone', phone ?? '')];
    expect(await logins.find({ field: 'email', index: byEmail }, undefined, [])).toMatchObject(login);
    expect(await logins.find({ field: 'phone', index: byPhone }, undefined, [])).toMatchObject(login);
    expect(await count('user_roles')).toBe(await count('users'));
    expect(await count('consent_records')).toBe(await count('users'));
  });

  it('moved to another row or column does not open', async () => {
    const [first, second] = [await create(), await create()];
    await pool.query(
      `UPDATE registrations SET profile_ciphertext = (SELECT profile_ciphertext FROM registrations WHERE id = $1) WHERE id = $2`,
      [first, second],
    );
    await expect(registrations.findOpen(second)).rejects.toThrow();
    expect(await registrations.findOpen(first)).toBeDefined();
  });
});
