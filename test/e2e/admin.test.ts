import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { beforeAll, describe, expect, it } from '@jest/globals';

import type { Role } from '../../src/contracts/session';
import { DIST_DIR } from '../../tools/project';
import { NOBODYS_ID } from '../support/api-document';
import { auditEventsOf, connectAsSuperuser, withTamperedTrail } from '../support/audit';
import type { Answer } from '../support/http-client';
import { logIn, newPhone, signUp, newPerson } from '../support/people';
import { complaints, expectProblem } from '../support/problems';
import { useTestService } from '../support/service';
import { type Account, equip, freshToken, hire } from '../support/staff';

const service = useTestService({ env: { RATE_LIMIT_MODE: 'observe' } });
const run = promisify(execFile);

const FORBIDDEN = { status: 403, code: 'forbidden' };
const OWN = { status: 403, code: 'own_account' };
const NO_SUCH = { status: 404, code: 'user_not_found' };
const CUSTOMER = { status: 401, code: 'invalid_token' };
const REASON = { reason: 'reported stolen phone' };

let admin: Account;
let support: Account;
let compliance: Account;

beforeAll(async () => {
  [admin, support, compliance] = await Promise.all([
    hire(service, 'ADMIN'),
    hire(service, 'SUPPORT'),
    hire(service, 'COMPLIANCE'),
  ]);
});

const get = (path: string, by: Account): Promise<Answer> => service.http.get(`/v1/admin/${path}`, { token: by.token });
const post = (userId: string, act: string, by: Account, body?: unknown): Promise<Answer> =>
  service.http.post(`/v1/admin/users/${userId}/${act}`, body, { token: by.token });
const grant = (userId: string, role: Role, by: Account) => post(userId, 'roles', by, { role });
const revoke = (userId: string, role: Role, by: Account): Promise<Answer> =>
  service.http.send('DELETE', `/v1/admin/users/${userId}/roles/${role}`, { token: by.token });
const rolesOf = async ({ userId }: Account): Promise<string[]> => {
  const { rows } = await service.database.query<{ role: string }>(
    'SELECT role::text FROM user_roles WHERE user_id = $1 ORDER BY role::text',
    [userId],
  );
  return rows.map(({ role }) => role);
};
const recorded = async (userId: string, action: string) =>
  (await auditEventsOf(service.database, userId, action)).map(({ outcome, actor_id, details }) => ({
    outcome,
    actor: actor_id,
    ...(details !== null && (JSON.parse(details) as object)),
  }));

describe('looking for accounts', () => {
  it('finds exactly the account of an address or a phone number, and shows the Fayda ID masked', async () => {
    const person = newPerson({ phone: newPhone(), faydaId: '614079823471', firstName: 'Abebe' });
    const { user } = (await signUp(service, person)).body;
    const expected = { users: [{ ...user, status: 'ACTIVE' }], nextCursor: null };
    expect(user.faydaId).toBe('********3471');
    for (const query of [{ email: person.email }, { email: person.email.toUpperCase() }, { phone: person.phone ?? '' }])
      expect((await get(`users?${new URLSearchParams(query).toString()}`, support)).body).toEqual(expected);
    expect((await get(`users/${user.id}`, support)).body).toEqual({ ...user, status: 'ACTIVE' });
    expect((await get('users?email=nobody@example.et', support)).body).toEqual({ users: [], nextCursor: null });
    expect(await recorded(user.id as string, 'user.read')).toEqual([{ outcome: 'success', actor: support.userId }]);
    const { rows } = await service.database.query(
      `SELECT 1 FROM audit_events WHERE action = 'users.listed' AND actor_id = $1 AND details LIKE $2`,
      [support.userId, `%${String(user.id)}%`],
    );
    expect(rows).toHaveLength(3);
  });

  it('goes through all of them page by page, each once, the newest first', async () => {
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const { status, body }: Answer = await get(`users?limit=2${cursor && `&cursor=${cursor}`}`, support);
      expect(status).toBe(200);
      expect(body.users.length).toBeLessThanOrEqual(2);
      seen.push(...(body.users as { id: string }[]).map(({ id }) => id));
      cursor = body.nextCursor as string | null;
    }
    const { rows } = await service.database.query<{ id: string }>('SELECT id FROM users ORDER BY id DESC');
    expect(seen).toEqual(rows.map(({ id }) => id));
  });

  it('takes no cursor that was altered, made up, or made for another list or filter', async () => {
    const { nextCursor } = (await get('users?limit=1', admin)).body as { nextCursor: string };
    const [position = '', signature = ''] = nextCursor.split('.');
    const other = Buffer.from(NOBODYS_ID).toString('base64url');
    const audit = (await get('audit-events?limit=1', admin)).body.nextCursor as string;
    const bad = [
      `users?cursor=${other}.${signature}`,
      `users?cursor=${position}.${'A'.repeat(43)}`,
      `users?cursor=${position}`,
      `users?cursor=${audit}`,
      `users?cursor=`,
      `users?status=LOCKED&cursor=${nextCursor}`,
      `audit-events?cursor=${nextCursor}`,
    ];
    for (const path of bad) {
      const answer = await get(path, admin);
      expectProblem(answer, { status: 400, code: 'validation_failed' });
      expect(complaints(answer)).toEqual(['cursor']);
    }
    expect((await get(`users?limit=1&cursor=${nextCursor}`, admin)).status).toBe(200);
  });
});

describe('locking an account', () => {
  it('ends its sessions at once, keeps its owner out, and is undone by unlocking', async () => {
    const person = await hire(service);
    const second = await freshToken(service, person);
    expect((await post(person.userId, 'lock', support, REASON)).status).toBe(204);
    for (const token of [person.token, second])
      expectProblem(await service.http.get('/v1/users/me', { token }), CUSTOMER);
    expectProblem(await logIn(service, person.person), { status: 403, code: 'account_locked' });
    expect((await get(`users?status=LOCKED`, support)).body.users).toMatchObject([
      { id: person.userId, status: 'LOCKED' },
    ]);
    expect((await post(person.userId, 'lock', support, REASON)).status).toBe(204);
    expect((await post(person.userId, 'unlock', compliance, { reason: 'phone is back' })).status).toBe(204);
    expect((await logIn(service, person.person)).status).toBe(200);
    // A session that was ended stays so.
    expectProblem(await service.http.get('/v1/users/me', { token: person.token }), CUSTOMER);
    expect(await recorded(person.userId, 'user.locked')).toEqual([
      { outcome: 'success', actor: support.userId, reason: expect.stringMatching(/^v2:/), endedSessions: 2 },
    ]);
    // What staff writes about a person is sealed for them, and shown to whoever may read the trail.
    const { body: shown } = await get(`audit-events?subjectId=${person.userId}&action=user.locked`, compliance);
    expect(shown.events).toMatchObject([{ details: REASON }]);
    expect(await recorded(person.userId, 'user.unlocked')).toMatchObject([{ actor: compliance.userId }]);
  });

  it('leaves an account that is to be erased as it is', async () => {
    const { userId } = await hire(service);
    await service.database.query(`UPDATE users SET status = 'ERASURE_PENDING' WHERE id = $1`, [userId]);
    for (const act of ['lock', 'unlock'])
      expectProblem(await post(userId, act, admin, REASON), { status: 409, code: 'user_state_conflict' });
  });
});

it('ending the sessions of an account counts at once', async () => {
  const person = await hire(service);
  expect((await post(person.userId, 'sessions/revoke', support)).body).toEqual({ ended: 1 });
  expectProblem(await service.http.get('/v1/users/me', { token: person.token }), CUSTOMER);
  expect((await logIn(service, person.person)).status).toBe(200);
  expect(await recorded(person.userId, 'user.sessions_revoked')).toEqual([
    { outcome: 'success', actor: support.userId, endedSessions: 1 },
  ]);
});

describe('roles', () => {
  it('count from the next request on, with the token that is out already', async () => {
    const person = await hire(service);
    await equip(service, person);
    expectProblem(await get('users', person), FORBIDDEN);
    expect((await grant(person.userId, 'SUPPORT', admin)).status).toBe(204);
    expect((await grant(person.userId, 'SUPPORT', admin)).status).toBe(204);
    expect((await get('users?limit=1', person)).status).toBe(200);
    expect((await revoke(person.userId, 'SUPPORT', admin)).status).toBe(204);
    expect((await revoke(person.userId, 'SUPPORT', admin)).status).toBe(204);
    expectProblem(await get('users', person), FORBIDDEN);
    const byAdmin = { outcome: 'success', actor: admin.userId, role: 'SUPPORT' };
    expect(await recorded(person.userId, 'role.granted')).toEqual([byAdmin]);
    expect(await recorded(person.userId, 'role.revoked')).toEqual([byAdmin]);
  });

  it('nobody gives themselves a role, takes one from themselves, or locks themselves', async () => {
    expectProblem(await grant(admin.userId, 'COMPLIANCE', admin), OWN);
    expectProblem(await revoke(admin.userId, 'ADMIN', admin), OWN);
    expectProblem(await post(admin.userId, 'lock', admin, REASON), OWN);
    expectProblem(await post(support.userId, 'sessions/revoke', support), OWN);
    expect(await rolesOf(admin)).toEqual(['ADMIN', 'CUSTOMER']);
    expect(await recorded(admin.userId, 'role.granted')).toEqual([
      { outcome: 'denied', actor: admin.userId, code: 'own_account' },
    ]);
  });

  it('nobody without the right to gives any role, and the attempt is recorded', async () => {
    const person = await hire(service);
    for (const actor of [person, support, compliance]) {
      expectProblem(await grant(person.userId, 'ADMIN', actor), FORBIDDEN);
      expectProblem(await revoke(admin.userId, 'ADMIN', actor), FORBIDDEN);
    }
    expect(await rolesOf(person)).toEqual(['CUSTOMER']);
    const { rows } = await service.database.query<{ details: string }>(
      `SELECT details FROM audit_events WHERE action = 'access.denied' AND outcome = 'denied' AND actor_id = $1`,
      [person.userId],
    );
    expect(rows.map(({ details }) => JSON.parse(details) as unknown)).toEqual(
      Array.from({ length: 2 }, () => ({ permission: 'roles:write' })),
    );
  });

  it('nobody locks, unlocks or ends the sessions of whom they do not outrank', async () => {
    for (const target of [admin, compliance]) {
      expectProblem(await post(target.userId, 'lock', support, REASON), FORBIDDEN);
      expectProblem(await post(target.userId, 'unlock', support, REASON), FORBIDDEN);
      expectProblem(await post(target.userId, 'sessions/revoke', support), FORBIDDEN);
    }
    expect((await get('users?limit=1', compliance)).status).toBe(200);
    expect((await recorded(admin.userId, 'user.locked')).at(-1)).toEqual({
      ...{ outcome: 'denied', actor: support.userId, code: 'forbidden' },
    });
  });

  it('two administrators who remove or lock each other at the same time leave one', async () => {
    for (const act of [
      (target: Account, by: Account) => revoke(target.userId, 'ADMIN', by),
      (target: Account, by: Account) => post(target.userId, 'lock', by, REASON),
    ]) {
      const [one, two] = [await hire(service, 'ADMIN'), await hire(service, 'ADMIN')];
      const answers = await Promise.all([act(one, two), act(two, one)]);
      // The one who comes second has lost either the role or the session by then.
      const [done, refused] = answers.map(({ status }) => status).sort();
      expect(done).toBe(204);
      expect([401, 403]).toContain(refused);
    }
  });
});

it('who may not act does not learn whether there is an account; who may is told', async () => {
  const person = await hire(service);
  for (const id of [person.userId, NOBODYS_ID, 'not-an-id']) {
    expectProblem(await get(`users/${id}`, person), FORBIDDEN);
    expectProblem(await post(id, 'lock', person, { nonsense: true }), FORBIDDEN);
    expectProblem(await service.http.get(`/v1/admin/users/${id}`), CUSTOMER);
  }
  expectProblem(await get(`users/${NOBODYS_ID}`, admin), NO_SUCH);
  expectProblem(await post(NOBODYS_ID, 'lock', admin, REASON), NO_SUCH);
  expectProblem(await grant(NOBODYS_ID, 'SUPPORT', admin), NO_SUCH);
  expectProblem(await get('users/not-an-id', admin), { status: 400, code: 'validation_failed' });
});

it('an act that cannot be recorded does not happen', async () => {
  const person = await hire(service);
  const superuser = connectAsSuperuser(service.stack);
  try {
    await superuser.query('REVOKE INSERT ON audit_events FROM meqenet_app');
    expect((await post(person.userId, 'lock', admin, REASON)).status).toBe(500);
    expect((await grant(person.userId, 'SUPPORT', admin)).status).toBe(500);
    expect((await logIn(service, person.person)).status).toBe(500);
    expect((await service.http.post('/v1/auth/logout', undefined, { token: person.token })).status).toBe(500);
  } finally {
    await superuser.query('GRANT INSERT ON audit_events TO meqenet_app');
    await superuser.end();
  }
  expect((await service.http.get('/v1/users/me', { token: person.token })).body).toMatchObject({ roles: ['CUSTOMER'] });
  const { rows } = await service.database.query('SELECT 1 FROM sessions WHERE user_id = $1', [person.userId]);
  expect(rows).toHaveLength(1);
});

describe('the audit trail', () => {
  it('tells of a person: registration, sessions, failed logins, refresh tokens used twice', async () => {
    const { person, userId, token } = await hire(service);
    const { body } = await logIn(service, person);
    expect((await logIn(service, { ...person, password: 'not the password' })).status).toBe(401);
    await service.http.post('/v1/auth/refresh', { refreshToken: body.refreshToken });
    await service.database.query(
      `UPDATE refresh_tokens SET rotated_at = now() - interval '1 hour' WHERE session_id = $1`,
      [body.sessionId],
    );
    expect((await service.http.post('/v1/auth/refresh', { refreshToken: body.refreshToken })).status).toBe(401);
    expect((await service.http.post('/v1/auth/logout', undefined, { token })).status).toBe(204);

    const { events } = (await get(`audit-events?subjectId=${userId}`, compliance)).body as {
      events: { action: string; outcome: string; actor: { kind: string } }[];
    };
    expect(events.map(({ action, outcome, actor }) => `${action} ${outcome} ${actor.kind}`)).toEqual([
      'session.ended success user',
      'refresh_token.reused denied anonymous',
      'login.failed failure anonymous',
      'session.opened success user',
      'session.opened success user',
      'registration.completed success user',
    ]);
    for (const event of events.slice(0, -1)) {
      expect(event).toMatchObject({ ip: '127.0.0.1', userAgent: 'node', requestId: expect.any(String) });
    }
    expect(events.at(-1)).toMatchObject({ workflowId: expect.stringMatching(/^registration\//), ip: null });
  });

  it('is filtered by actor, subject, action and time, page by page', async () => {
    const query = `audit-events?actorId=${admin.userId}&action=role.granted&limit=1`;
    const first = (await get(query, compliance)).body;
    expect(first.events).toMatchObject([{ action: 'role.granted', actor: { id: admin.userId } }]);
    const next = (await get(`${query}&cursor=${first.nextCursor}`, compliance)).body;
    const [earlier, later] = [next, first].map(({ events }) => BigInt(events[0].sequence as string));
    expect(earlier).toBeLessThan(later!);
    const at = first.events[0].occurredAt as string;
    expect((await get(`audit-events?to=${at}&limit=1`, compliance)).body.events[0].occurredAt < at).toBe(true);
    const since = (await get(`audit-events?from=${at}&limit=100`, compliance)).body.events as { occurredAt: string }[];
    expect(since.every(({ occurredAt }) => occurredAt >= at)).toBe(true);
    expect((await get('audit-events?from=2100-01-01T00:00:00Z', compliance)).body.events).toEqual([]);
    expectProblem(await get('audit-events?action=none', compliance), { status: 400, code: 'validation_failed' });
  });

  it('records who reads and verifies it', async () => {
    await get('audit-events?limit=1', compliance);
    await get('audit-events/verify', compliance);
    const { rows } = await service.database.query<{ action: string }>(
      `SELECT action FROM audit_events WHERE actor_id = $1 ORDER BY sequence DESC LIMIT 2`,
      [compliance.userId],
    );
    expect(rows.map(({ action }) => action)).toEqual(['audit.verified', 'audit.read']);
  });
});

describe('the commands', () => {
  const command = async (name: string, ...args: string[]): Promise<{ code: number; text: string }> => {
    const env = { ...process.env, ...service.stack.env, NODE_ENV: 'test' };
    return run(process.execPath, [join(DIST_DIR, 'tools', `${name}.js`), ...args], { env, timeout: 30_000 }).then(
      ({ stdout }) => ({ code: 0, text: stdout }),
      (error: unknown) => {
        const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
        return { code, text: stdout + stderr };
      },
    );
  };

  it('admin:grant makes the first administrator, and is recorded', async () => {
    const person = await hire(service);
    const args = ['--email', ` ${person.person.email.toUpperCase()}`, '--role', 'ADMIN'];
    expect(await command('admin-grant', ...args)).toMatchObject({
      code: 0,
      text: expect.stringContaining(person.userId),
    });
    expect(await command('admin-grant', ...args)).toMatchObject({ code: 0, text: expect.stringContaining('already') });
    // Not before there is a second factor, and it was shown.
    expectProblem(await get('audit-events?limit=1', person), { status: 403, code: 'mfa_enrollment_required' });
    await equip(service, person);
    expect((await get('audit-events?limit=1', person)).status).toBe(200);
    expect(await recorded(person.userId, 'role.granted')).toEqual([
      { outcome: 'success', actor: null, role: 'ADMIN', by: 'admin:grant' },
    ]);
    for (const wrong of [
      [],
      ['--email', person.person.email, '--role', 'KING'],
      ['--email', 'x@example.et', '--role', 'ADMIN'],
    ])
      expect((await command('admin-grant', ...wrong)).code).toBe(1);
  });

  it('audit:verify and the endpoint tell a whole trail from one that was changed', async () => {
    const whole = await command('audit-verify');
    expect(whole).toMatchObject({ code: 0, text: expect.stringContaining('The audit trail is whole.') });
    const end = /\d+:[0-9a-f]{64}/.exec(whole.text)?.[0] ?? '';
    expect((await get('audit-events/verify', compliance)).body).toMatchObject({ valid: true, complete: true });
    expect(await command('audit-verify', '--expect', end)).toMatchObject({ code: 0 });
    expect(
      await command(
        'audit-verify',
        '--expect',
        end.replace(/.$/, (digit) => (digit === '0' ? '1' : '0')),
      ),
    ).toMatchObject({
      code: 1,
    });
    const superuser = connectAsSuperuser(service.stack);
    try {
      await withTamperedTrail(
        superuser,
        `UPDATE audit_events SET outcome = 'success' WHERE action = 'login.failed'`,
        async () => {
          expect(await command('audit-verify')).toMatchObject({ code: 1, text: expect.stringContaining('NOT whole') });
        },
      );
      await withTamperedTrail(superuser, 'DELETE FROM audit_events WHERE sequence = 2', async () => {
        expect((await command('audit-verify')).text).toContain('event 2 missing');
        const { body } = await get('audit-events/verify', compliance);
        expect(body).toMatchObject({ valid: false, complete: false, defect: { kind: 'missing', sequence: '2' } });
      });
    } finally {
      await superuser.end();
    }
    expect((await get('audit-events/verify', compliance)).body).toMatchObject({ valid: true, complete: true });
  });
});
