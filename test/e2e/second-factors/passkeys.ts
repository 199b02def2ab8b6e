import { randomBytes, randomUUID } from 'node:crypto';

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodeJwt } from 'jose';

import { auditEventsOf } from '../../support/audit';
import { join } from '../../support/contact';
import { eventually } from '../../support/eventually';
import type { Answer } from '../../support/http-client';
import { appCode, completeLogin, confirm, enroll, listFactors, MFA_ENABLED_SUBJECT } from '../../support/mfa';
import {
  completeRegistration,
  completeStepUp,
  loginOptions,
  logInWithPasskey,
  PASSKEY_SUSPECTED_SUBJECT,
  passkeyOwner,
  registerPasskey,
  registrationOptions,
  showPasskey,
  stepUpOptions,
  stepUpWithPasskey,
} from '../../support/passkeys';
import { changePassword } from '../../support/passwords';
import { logIn } from '../../support/people';
import { expectProblem } from '../../support/problems';
import { useSharedService } from '../../support/service';
import { giveRoles } from '../../support/staff';
import { createSoftAuthenticator, type ResponseOptions } from '../../support/soft-authenticator';

const ORIGIN = 'https://app.localhost';
const REFUSED = { status: 401, code: 'invalid_credentials' };
const INVALID_PASSKEY = { status: 422, code: 'invalid_passkey' };
const INVALID_TOKEN = { status: 401, code: 'invalid_mfa_token' };
const SYNCED = ['up', 'uv', 'be', 'bs'] as const;
const PHONE = { 'x-device-id': 'the-phone-of-its-owner' };

const service = useSharedService();
const sql = (text: string, values: unknown[] = []) => service.database.query(text, values);
const owner = (options?: ResponseOptions) => passkeyOwner(service, ORIGIN, options);
const newAuthenticator = (more: { credentialId?: Buffer } = {}) => createSoftAuthenticator({ origin: ORIGIN, ...more });
const claimsOf = ({ body }: Answer) => decodeJwt(body.accessToken as string);
const remove = (token: string, id: string) => service.http.send('DELETE', `/v1/auth/mfa/factors/${id}`, { token });

/** What is wrong with each of these is wrong in the eyes of WebAuthn, whatever the ceremony. */
const FAULTS: readonly (readonly [string, ResponseOptions])[] = [
  ['another origin', { origin: 'https://evil.example' }],
  ['another relying party', { rpId: 'evil.example' }],
  ['another challenge', { challenge: randomBytes(32).toString('base64url') }],
  ['no user verification', { flags: ['up'] }],
  ['a frame of another site', { crossOrigin: true }],
];

describe('the registration of a passkey', () => {
  it('as the first factor gives recovery codes, and tells its owner', async () => {
    const { token, person, userId } = await join(service);
    const begun = await registrationOptions(service, token, { label: ' My key ' });
    expect(begun.status).toBe(201);
    const { enrollmentId, publicKey } = begun.body;
    expect(publicKey).toMatchObject({ rp: { id: 'localhost' }, user: { name: person.email }, attestation: 'none' });
    const handle = Buffer.from(publicKey.user.id as string, 'base64url').toString('latin1');
    for (const clear of [userId, person.email]) expect(handle).not.toContain(clear);
    const made = newAuthenticator();
    const answer = await completeRegistration(service, token, enrollmentId, made.create(publicKey, { flags: SYNCED }));
    expect(answer.status).toBe(200);
    expect(answer.body.recoveryCodes).toHaveLength(10);
    await service.mailbox.waitFor(person.email, MFA_ENABLED_SUBJECT);
    const { body } = await listFactors(service, token);
    expect(body.recoveryCodesLeft).toBe(10);
    expect(body.factors).toEqual([
      {
        ...{ id: answer.body.factorId, factor: 'passkey', label: 'My key', backedUp: true, lastUsedAt: null },
        confirmedAt: expect.any(String),
      },
    ]);
    const [added] = await auditEventsOf(service.database, userId, 'mfa.factor_added');
    expect(JSON.parse(added?.details ?? '')).toMatchObject({ type: 'PASSKEY', recoveryCodes: true, replaced: false });
    expectProblem(await completeRegistration(service, token, enrollmentId, made.create(publicKey)), {
      status: 409,
      code: 'enrollment_confirmed',
    });
  });

  it('that is repeated after lost answers is one, with the same recovery codes', async () => {
    const { token } = await join(service);
    const made = newAuthenticator();
    const [begin, finish] = [randomUUID(), randomUUID()];
    const send = (step: string, key: string, body: object) =>
      service.http.post(`/v1/auth/passkeys/registration/${step}`, body, { token, headers: { 'idempotency-key': key } });
    const loseAnswers = () => sql('DELETE FROM idempotency_keys');
    const begun = await send('options', begin, {});
    await loseAnswers();
    const again = await send('options', begin, {});
    expect(again.body.enrollmentId).toBe(begun.body.enrollmentId);
    expect(again.body.publicKey.challenge).toBe(begun.body.publicKey.challenge);
    const answer = { enrollmentId: begun.body.enrollmentId as string, credential: made.create(begun.body.publicKey) };
    const first = await send('verify', finish, answer);
    expect(first.body.recoveryCodes).toHaveLength(10);
    await loseAnswers();
    expect((await send('verify', finish, answer)).body).toEqual(first.body);
    expect((await listFactors(service, token)).body.factors).toHaveLength(1);
  });

  it('of a further one needs a second factor, excludes the first, and leaves it in force', async () => {
    const { token, authenticator } = await owner();
    expectProblem(await registrationOptions(service, token), { status: 403, code: 'step_up_required' });
    const { body: raised } = await stepUpWithPasskey(service, token, authenticator);
    const begun = await registrationOptions(service, raised.accessToken as string);
    expect(begun.body.publicKey.excludeCredentials).toEqual([
      { id: authenticator.id, type: 'public-key', transports: ['internal'] },
    ]);
    const second = newAuthenticator();
    const answer = await registerPasskey(service, raised.accessToken as string, second);
    expect(answer).toMatchObject({ status: 200, body: { factorId: expect.any(String) } });
    expect(answer.body.recoveryCodes).toBeUndefined();
    for (const each of [authenticator, second]) expect((await logInWithPasskey(service, each)).status).toBe(200);
  });

  it.each(FAULTS)('with %s is refused', async (_name, options) => {
    const { token } = await join(service);
    expectProblem(await registerPasskey(service, token, newAuthenticator(), options), INVALID_PASSKEY);
    expect((await listFactors(service, token)).body.factors).toEqual([]);
  });

  it('bears five tries, and is over then', async () => {
    const { token } = await join(service);
    const { body } = await registrationOptions(service, token);
    const made = newAuthenticator();
    const wrong = made.create(body.publicKey, { flags: ['up'] });
    for (let tries = 0; tries < 5; tries += 1)
      expectProblem(await completeRegistration(service, token, body.enrollmentId, wrong), INVALID_PASSKEY);
    const right = made.create(body.publicKey);
    expectProblem(await completeRegistration(service, token, body.enrollmentId, right), {
      status: 410,
      code: 'enrollment_ended',
    });
  });

  it('of one that belongs to somebody else is refused', async () => {
    const { authenticator } = await owner();
    const { token } = await join(service);
    const copy = newAuthenticator({ credentialId: Buffer.from(authenticator.id, 'base64url') });
    expectProblem(await registerPasskey(service, token, copy), INVALID_PASSKEY);
    expect((await logInWithPasskey(service, authenticator)).status).toBe(200);
  });

  it('is refused beyond twenty, while of each other kind there is one', async () => {
    const { token, userId, authenticator, factorId } = await owner();
    await sql(
      `WITH more AS (
         INSERT INTO factors (id, user_id, type, confirmed_at)
         SELECT gen_random_uuid(), user_id, type, now() FROM factors, generate_series(1, 19) WHERE id = $1 RETURNING id
       )
       INSERT INTO passkeys (factor_id, credential_id, public_key, user_handle, sign_count, transports, backup_eligible, backed_up, aaguid)
       SELECT id, decode(replace(id::text, '-', ''), 'hex'), '', '', 0, '{}', false, false, id FROM more`,
      [factorId],
    );
    const { body } = await stepUpWithPasskey(service, token, authenticator);
    expectProblem(await registrationOptions(service, body.accessToken as string), {
      status: 409,
      code: 'too_many_passkeys',
    });
    const totp = `INSERT INTO factors (id, user_id, type, confirmed_at) VALUES ($1, $2, 'TOTP', now())`;
    await sql(totp, [randomUUID(), userId]);
    await expect(sql(totp, [randomUUID(), userId])).rejects.toMatchObject({ code: '23505' });
  });
});

describe('a login with a passkey alone', () => {
  it('opens a session of two factors, and tells nothing before', async () => {
    const { authenticator, userId, token } = await owner();
    const { status, body } = await loginOptions(service);
    expect(status).toBe(200);
    expect(body.publicKey).toMatchObject({ rpId: 'localhost', allowCredentials: [], userVerification: 'required' });
    const answer = await showPasskey(service, authenticator.get(body.publicKey));
    expect(answer.status).toBe(200);
    expect(claimsOf(answer)).toMatchObject({ sub: userId, acr: 'aal2', amr: ['hwk', 'user', 'mfa'] });
    const { body: listed } = await listFactors(service, token);
    expect(Date.now() - Date.parse(listed.factors[0].lastUsedAt as string)).toBeLessThan(10_000);
  });

  it('puts a role in force that needs a strong second factor', async () => {
    const { authenticator, userId } = await owner();
    await giveRoles(service, userId, ['ADMIN']);
    const answer = await logInWithPasskey(service, authenticator);
    expect(claimsOf(answer)['roles']).toEqual(['CUSTOMER', 'ADMIN']);
    const token = answer.body.accessToken as string;
    expect((await service.http.get('/v1/admin/users', { token })).status).toBe(200);
  });

  it('by one that is synced says so, and keeps the state of its backup', async () => {
    const { authenticator, token } = await owner({ flags: ['up', 'uv', 'be'] });
    const backedUp = async () => (await listFactors(service, token)).body.factors[0].backedUp as boolean;
    expect(await backedUp()).toBe(false);
    const answer = await logInWithPasskey(service, authenticator, { flags: SYNCED });
    expect(claimsOf(answer)['amr']).toEqual(['swk', 'user', 'mfa']);
    expect(await backedUp()).toBe(true);
    expectProblem(await logInWithPasskey(service, authenticator, { flags: ['up', 'uv'] }), REFUSED);
    expect(await backedUp()).toBe(true);
  });

  it('takes an answer once, at the same time as well', async () => {
    const { authenticator } = await owner();
    const { body } = await loginOptions(service);
    const credential = authenticator.get(body.publicKey);
    const answers = await Promise.all(Array.from({ length: 6 }, () => showPasskey(service, credential)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    for (const answer of answers.filter(({ status }) => status !== 200)) expectProblem(answer, REFUSED);
    expectProblem(await showPasskey(service, credential), REFUSED);
  });

  it('is refused in one way, whatever is wrong', async () => {
    const { authenticator, userId, token, person, recoveryCodes } = await owner();
    const other = await owner();
    const refusals = await Promise.all([
      ...FAULTS.map(([, options]) => logInWithPasskey(service, authenticator, options)),
      logInWithPasskey(service, newAuthenticator(), { userHandle: randomBytes(64).toString('base64url') }),
      logInWithPasskey(service, authenticator, { userHandle: null }),
      logInWithPasskey(service, authenticator, {
        userHandle: other.authenticator.get({ challenge: '' }).response.userHandle,
      }),
    ]);
    // A challenge for something else, for another device, of five minutes ago.
    const { body: raise } = await stepUpOptions(service, token);
    refusals.push(await showPasskey(service, authenticator.get(raise.publicKey)));
    const { body: elsewhere } = await loginOptions(service, {}, PHONE);
    refusals.push(await showPasskey(service, authenticator.get(elsewhere.publicKey)));
    expect((await showPasskey(service, authenticator.get(elsewhere.publicKey), PHONE)).status).toBe(200);
    const { body: late } = await loginOptions(service);
    await sql('UPDATE passkey_challenges SET expires_at = now()');
    refusals.push(await showPasskey(service, authenticator.get(late.publicKey)));
    await sql(`UPDATE users SET status = 'LOCKED' WHERE id = $1`, [userId]);
    refusals.push(await logInWithPasskey(service, authenticator));
    for (const answer of refusals) expectProblem(answer, REFUSED, [authenticator.id, person.email, ...recoveryCodes]);
    const texts = refusals.map(({ body }) => JSON.stringify({ ...body, requestId: '' }));
    expect(new Set(texts).size).toBe(1);
    expect((await auditEventsOf(service.database, userId, 'login.failed')).length).toBeGreaterThan(5);
  });

  it('of a passkey that was removed is refused, and its recovery codes are gone', async () => {
    const { authenticator, token, factorId } = await owner();
    const { body } = await stepUpWithPasskey(service, token, authenticator);
    expect((await remove(body.accessToken as string, factorId)).status).toBe(204);
    expectProblem(await logInWithPasskey(service, authenticator), REFUSED);
    expect((await listFactors(service, token)).body).toEqual({ factors: [], recoveryCodesLeft: 0 });
    const { rows } = await sql('SELECT 1 FROM passkeys WHERE factor_id = $1', [factorId]);
    expect(rows).toEqual([]);
  });

  it('whose count goes back may be one with a copy: it is refused, recorded, and its owner told once an hour', async () => {
    const { authenticator, userId, person } = await owner({ signCount: 5 });
    expect((await logInWithPasskey(service, authenticator, { signCount: 9 })).status).toBe(200);
    for (const signCount of [9, 8, 0])
      expectProblem(await logInWithPasskey(service, authenticator, { signCount }), REFUSED);
    await service.mailbox.waitFor(person.email, PASSKEY_SUSPECTED_SUBJECT);
    const events = await auditEventsOf(service.database, userId, 'passkey.suspected');
    expect(events.map(({ outcome }) => outcome)).toEqual(['denied', 'denied', 'denied']);
    expect(events.map(({ details }) => (JSON.parse(details ?? '') as { signCount: number }).signCount)).toEqual([
      9, 8, 0,
    ]);
    expect((await logInWithPasskey(service, authenticator, { signCount: 10 })).status).toBe(200);
    const { rows } = await sql(`SELECT 1 FROM mail_deliveries WHERE key LIKE 'passkey-suspected/%'`);
    expect(rows).toHaveLength(1);
  });

  it('of two that show one count at the same time one is taken', async () => {
    const { authenticator } = await owner({ signCount: 1 });
    const answers = await Promise.all(
      Array.from({ length: 4 }, () => logInWithPasskey(service, authenticator, { signCount: 2 })),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });
});

describe('a passkey as the second factor', () => {
  const begin = async (person: Parameters<typeof logIn>[1], factors = ['passkey', 'recovery_code']) => {
    const { body } = await logIn(service, person);
    expect(body).toMatchObject({ mfaRequired: true, factors });
    return body.mfaToken as string;
  };

  it('completes a login, whose token it uses up', async () => {
    const { person, userId, authenticator } = await owner();
    const mfaToken = await begin(person);
    const [{ body: first }, { body: second }] = [
      await loginOptions(service, { mfaToken }),
      await loginOptions(service, { mfaToken }),
    ];
    expect(first.publicKey.allowCredentials).toMatchObject([{ id: authenticator.id }]);
    // Some authenticators leave the handle out where they were told which credential to use.
    const answer = await showPasskey(service, authenticator.get(first.publicKey, { userHandle: null }));
    expect(claimsOf(answer)).toMatchObject({ sub: userId, acr: 'aal2', amr: ['pwd', 'hwk', 'user', 'mfa'] });
    expectProblem(await showPasskey(service, authenticator.get(second.publicKey)), REFUSED);
    expectProblem(await loginOptions(service, { mfaToken }), INVALID_TOKEN);
  });

  it('must be one of the account, bears five tries, and counts them as wrong codes', async () => {
    const [{ person, authenticator, userId }, other] = [await owner(), await owner()];
    const mfaToken = await begin(person);
    expectProblem(await logInWithPasskey(service, other.authenticator, {}, mfaToken), REFUSED);
    for (let tries = 0; tries < 4; tries += 1)
      expectProblem(await logInWithPasskey(service, authenticator, { flags: ['up'] }, mfaToken), REFUSED);
    expectProblem(await loginOptions(service, { mfaToken }), INVALID_TOKEN);
    expect(await auditEventsOf(service.database, userId, 'login.failed')).toHaveLength(5);
    const { rows } = await sql('SELECT max(failures)::int AS failures FROM login_failures');
    expect((rows[0] as { failures: number }).failures).toBeGreaterThanOrEqual(5);
  });

  it('stands beside an authenticator app, and opens nothing after a change of the password', async () => {
    const { person, token, authenticator } = await owner();
    const { body: raised } = await stepUpWithPasskey(service, token, authenticator);
    const { body: enrollment } = await enroll(service, raised.accessToken as string);
    const secret = enrollment.secret as string;
    await confirm(service, raised.accessToken as string, enrollment.enrollmentId as string, appCode(secret));
    const [byCode, overtaken] = [
      await begin(person, ['passkey', 'totp', 'recovery_code']),
      await begin(person, ['passkey', 'totp', 'recovery_code']),
    ];
    const { body: options } = await loginOptions(service, { mfaToken: overtaken });
    expect((await completeLogin(service, byCode, appCode(secret, 1))).status).toBe(200);
    const changed = await changePassword(
      service,
      raised.accessToken as string,
      person.password,
      'another long secret 71',
    );
    expect(changed.status).toBe(204);
    expectProblem(await showPasskey(service, authenticator.get(options.publicKey)), INVALID_TOKEN);
  });
});

describe('step-up with a passkey', () => {
  it('raises the session, and that one alone', async () => {
    const { token, sessionId, authenticator, userId } = await owner();
    const other = await owner();
    const answer = await stepUpWithPasskey(service, token, authenticator);
    expect(claimsOf(answer)).toMatchObject({ sub: userId, sid: sessionId, acr: 'aal2' });
    expect(claimsOf(answer)['amr']).toEqual(expect.arrayContaining(['hwk', 'mfa']));
    const { body } = await stepUpOptions(service, token);
    // Another account's passkey; another session's challenge, which stays good for its own; without user verification.
    expectProblem(await stepUpWithPasskey(service, token, other.authenticator), INVALID_PASSKEY);
    expectProblem(await completeStepUp(service, other.token, other.authenticator.get(body.publicKey)), INVALID_PASSKEY);
    expectProblem(await stepUpWithPasskey(service, token, authenticator, { flags: ['up'] }), INVALID_PASSKEY);
    expect((await completeStepUp(service, token, authenticator.get(body.publicKey))).status).toBe(200);
    expect(await auditEventsOf(service.database, userId, 'session.step_up_failed')).toHaveLength(2);
  });

  it('needs one', async () => {
    const { token } = await join(service);
    expectProblem(await stepUpOptions(service, token), { status: 404, code: 'factor_not_found' });
  });
});

describe('hostile answers', () => {
  it('of any form are refused, and never a failure of the service', async () => {
    const { authenticator } = await owner();
    const { body } = await loginOptions(service);
    const good = authenticator.get(body.publicKey);
    const text = fc.oneof(
      fc.base64String({ maxLength: 400 }),
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString('base64url')),
      fc.string({ maxLength: 40 }),
    );
    const response = fc.record(
      { clientDataJSON: text, authenticatorData: text, signature: text, userHandle: fc.oneof(text, fc.constant(null)) },
      { requiredKeys: [] },
    );
    const credential = fc.oneof(
      fc.record({ id: text, rawId: text, type: fc.constantFrom('public-key', 'other'), response }),
      response.map((changes) => ({ ...good, response: { ...good.response, ...changes } })),
      fc.jsonValue(),
    );
    await fc.assert(
      fc.asyncProperty(credential, async (value) => {
        const { status } = await showPasskey(service, value);
        expect([400, 401]).toContain(status);
      }),
      { numRuns: 80 },
    );
  });
});

it('challenges that are over do not pile up', async () => {
  await loginOptions(service);
  await sql('UPDATE passkey_challenges SET expires_at = now()');
  await eventually('the old challenges to be gone', async () => {
    await loginOptions(service);
    return (await sql('SELECT 1 FROM passkey_challenges WHERE expires_at <= now()')).rows.length === 0;
  });
});
