import { expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { decodeJwt } from 'jose';

import { askEmail, confirmEmail, emailCode, join, type Member } from '../support/contact';
import { eventually } from '../support/eventually';
import { useGrpcClient } from '../support/grpc-client';
import { createHttpClient } from '../support/http-client';
import { logInFully, turnOn } from '../support/mfa';
import { changePassword, forgot, mailedToken, resetPassword } from '../support/passwords';
import { logIn } from '../support/people';
import { useTestService } from '../support/service';
import { freshToken, hire } from '../support/staff';

const service = useTestService({
  processes: ['api', 'worker', 'consumer', 'gateway'],
  env: { MAX_SESSIONS_PER_USER: '5', ERASURE_GRACE: '1s' },
});
const grpc = useGrpcClient(service);

/** Somebody with two more sessions than the one that acts. */
const joinWithOthers = async (): Promise<Member> => {
  const member = await join(service);
  await logIn(service, member.person);
  await logIn(service, member.person);
  return member;
};

const asStaff = async (act: string, target: Member, body: object): Promise<void> => {
  const { token } = await hire(service, 'SUPPORT');
  const answer = await service.http.post(`/v1/admin/users/${target.userId}/${act}`, body, { token });
  expect(answer.status).toBeLessThan(300);
};

/** A token that is shown long after its use. */
const reuse = async ({ person }: Member): Promise<void> => {
  const { refreshToken } = (await logIn(service, person)).body as { refreshToken: string };
  await service.http.post('/v1/auth/refresh', { refreshToken });
  await service.database.query(`UPDATE refresh_tokens SET rotated_at = rotated_at - interval '1 minute'`);
  expect((await service.http.post('/v1/auth/refresh', { refreshToken })).status).toBe(401);
};

/** Every way in which sessions end. */
const ENDINGS: readonly ((member: Member) => Promise<unknown>)[] = [
  ({ token }) => service.http.post('/v1/auth/logout', undefined, { token }),
  ({ token }) => service.http.post('/v1/auth/logout-all', undefined, { token }),
  async ({ token, person }) => {
    const { sessionId } = (await logIn(service, person)).body as { sessionId: string };
    await service.http.send('DELETE', `/v1/auth/sessions/${sessionId}`, { token });
  },
  ({ token, person }) => changePassword(service, token, person.password, 'another fine passphrase 42'),
  async ({ person }) => {
    await forgot(service, person.email);
    await resetPassword(service, await mailedToken(service, person.email), 'one more passphrase 42');
  },
  async (member) => {
    const email = `new-${member.person.email}`;
    await askEmail(service, member, email);
    expect((await confirmEmail(service, member.token, await emailCode(service, email))).status).toBeLessThan(300);
  },
  (member) => asStaff('sessions/revoke', member, {}),
  (member) => asStaff('lock', member, { reason: 'suspected fraud' }),
  reuse,
  async ({ person }) => {
    for (let count = 0; count < 4; count += 1) await logIn(service, person);
  },
  ({ token }) => service.http.send('DELETE', '/v1/users/me', { token }),
];

it('every session that ends, however it ends, is told to whoever checks tokens offline', async () => {
  let last: Member | undefined;
  for (const end of ENDINGS) {
    last = await joinWithOthers();
    await end(last);
  }
  const erased = last?.sessionId ?? '';

  const redis = new Redis({ host: '127.0.0.1', port: service.stack.ports.valkey });
  try {
    // An erased account's sessions are gone from the database, and were told of before.
    const told = async (): Promise<Set<string>> => {
      const entries = await redis.xrange('meqenet:auth:revocations', '-', '+');
      return new Set(entries.map(([, fields]) => fields[fields.indexOf('session') + 1] ?? ''));
    };
    const ended = async () => {
      const { rows } = await service.database.query<{ id: string; ended_by: string }>(
        'SELECT id, ended_by::text FROM sessions WHERE ended_at IS NOT NULL',
      );
      return rows;
    };
    await eventually('the revocations', async () => {
      const known = await told();
      return known.has(erased) && (await ended()).every(({ id }) => known.has(id));
    });
    const reasons = new Set((await ended()).map(({ ended_by }) => ended_by));
    // Of an erasure the rows may be gone by now.
    reasons.delete('ERASED');
    expect([...reasons].sort()).toEqual([
      ...['EMAIL_CHANGED', 'LOGOUT', 'PASSWORD_CHANGED', 'REFRESH_TOKEN_REUSED', 'REVOKED_BY_ADMIN', 'REVOKED_BY_USER'],
      'SESSION_LIMIT',
    ]);
    const { rows: live } = await service.database.query<{ id: string }>(
      'SELECT id FROM sessions WHERE ended_at IS NULL',
    );
    const known = await told();
    expect(live.filter(({ id }) => known.has(id))).toEqual([]);
  } finally {
    redis.disconnect();
  }
});

it('who records an act says so at once: the api for its own, the worker for those of workflows', async () => {
  const redis = new Redis({ host: '127.0.0.1', port: service.stack.ports.valkey });
  const hint = async () => (await redis.xrevrange('meqenet:auth:events-wake', '+', '-', 'COUNT', 1))[0]?.[0];
  const hintAfter = async (act: () => Promise<unknown>): Promise<void> => {
    const before = await hint();
    await act();
    await eventually('another hint', async () => (await hint()) !== before);
  };
  try {
    const member = await join(service);
    await hintAfter(() => logIn(service, member.person));
    const email = `new-${member.person.email}`;
    await askEmail(service, member, email);
    const code = await emailCode(service, email);
    await hintAfter(() => confirmEmail(service, member.token, code));
  } finally {
    redis.disconnect();
  }
});

it('a role that was lost is claimed in vain; whoever renews the token goes on, and claims it once more when it is back', async () => {
  const gateway = createHttpClient(service.gatewayUrl);
  const statusOf = async (token: string) => (await gateway.get('/v1/users/me', { token })).status;
  const becomes = (token: string, status: number) =>
    eventually(`${String(status)} at the gateway`, async () => (await statusOf(token)) === status);
  const admin = await hire(service, 'ADMIN');
  const adminToken = await freshToken(service, admin);
  const staff = await hire(service, 'SUPPORT');
  const roles = `/v1/admin/users/${staff.userId}/roles`;
  const watch = grpc.watch();

  const claiming = await freshToken(service, staff);
  expect(await statusOf(claiming)).toBe(200);
  expect((await service.http.send('DELETE', `${roles}/SUPPORT`, { token: adminToken })).status).toBe(204);
  await becomes(claiming, 401);
  expect(await statusOf(await freshToken(service, staff))).toBe(200);

  expect((await service.http.post(roles, { role: 'SUPPORT' }, { token: adminToken })).status).toBe(204);
  const renewed = await freshToken(service, staff);
  await becomes(renewed, 200);

  // In force only with a second factor, and with it at once.
  const newcomer = await join(service);
  await service.http.post(`/v1/admin/users/${newcomer.userId}/roles`, { role: 'SUPPORT' }, { token: adminToken });
  const { secret } = await turnOn(service, newcomer.token);
  const raised = await logInFully(service, { ...newcomer, secret });
  expect(decodeJwt(raised.body.accessToken as string)['roles']).toContain('SUPPORT');
  await becomes(raised.body.accessToken as string, 200);

  const told = (userId: string) =>
    watch.seen.flatMap((message) =>
      message?.$case === 'rolesChange' && message.value.userId === userId ? [message.value.roles.toSorted()] : [],
    );
  await eventually('the last change', () => Promise.resolve(told(newcomer.userId).length >= 2));
  expect(told(staff.userId)).toEqual([['CUSTOMER'], ['CUSTOMER', 'SUPPORT']]);
  expect(told(newcomer.userId)).toEqual([['CUSTOMER'], ['CUSTOMER', 'SUPPORT']]);
  watch.cancel();
});
