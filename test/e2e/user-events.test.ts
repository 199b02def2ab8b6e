import { afterEach, describe, expect, it } from '@jest/globals';

import { openEvents, type EventReader } from '../support/event-reader';
import { eventually } from '../support/eventually';
import { newPerson, signUp } from '../support/people';
import { expectProblem } from '../support/problems';
import { startSecondApi } from '../support/second-process';
import { useTestService } from '../support/service';

const service = useTestService();

const readers: EventReader[] = [];
const watch = async (token: string, lastEventId?: string, url = service.apiUrl): Promise<EventReader> => {
  const reader = await openEvents(url, token, lastEventId);
  readers.push(reader);
  return reader;
};
afterEach(() => {
  for (const reader of readers.splice(0)) reader.close();
});

const account = async () => {
  const person = newPerson();
  const { body } = await signUp(service, person);
  const login = async () => {
    const answer = await service.http.post('/v1/auth/login', { email: person.email, password: person.password });
    return answer.body as { accessToken: string; sessionId: string };
  };
  return { person, login, token: body.accessToken as string, sessionId: body.sessionId as string };
};

describe('GET /v1/users/me/events', () => {
  it('tells of a login elsewhere, and that the other session has ended, within a moment', async () => {
    const { token, login } = await account();
    const events = await watch(token);
    expect(events.response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(events.response.headers.get('cache-control')).toBe('no-store');
    const other = await login();
    await events.next('session.opened', other.sessionId);
    await service.http.post('/v1/auth/logout', undefined, { token: other.accessToken });
    const ended = await events.next('session.ended');
    expect(ended.data).toMatchObject({ type: 'session.ended', sessionId: other.sessionId, reason: 'LOGOUT' });
    expect(ended.id).toMatch(/^\d+-\d+$/);
  });

  it('tells nobody of what happens to somebody else', async () => {
    const [one, other] = [await account(), await account()];
    const events = await watch(one.token);
    await other.login();
    const own = await one.login();
    expect((await events.next('session.opened')).data).toMatchObject({ sessionId: own.sessionId });
    expect(
      events.seen.every(({ data }) => data['sessionId'] === own.sessionId || data['sessionId'] === undefined),
    ).toBe(true);
  });

  it('resumes after the event that was seen last: nothing is missing and nothing comes twice', async () => {
    const { token, login } = await account();
    const first = await watch(token);
    const { id } = await first.next('session.opened', (await login()).sessionId);
    first.close();
    const missed = [await login(), await login(), await login()].map(({ sessionId }) => sessionId);
    const again = await watch(token, id);
    const live = await login();
    const opened = [];
    for (let count = 0; count < 4; count += 1) opened.push((await again.next('session.opened')).data['sessionId']);
    expect(opened).toEqual([...missed, live.sessionId]);
  });

  it('resumes where it began, though nothing had happened until the connection was lost', async () => {
    const { token, login } = await account();
    const earlier = await watch(token);
    await earlier.next('session.opened', (await login()).sessionId);
    const first = await watch(token);
    const begin = await eventually('a place', () => Promise.resolve(first.lastEventId()));
    expect(first.seen).toEqual([]);
    first.close();
    const { sessionId } = await login();
    const again = await watch(token, begin);
    await again.next('session.opened', sessionId);
    expect(again.seen.map(({ event }) => event)).not.toContain('resync');
  });

  it('says `resync` where what was missed cannot be told any more', async () => {
    const { token, login } = await account();
    const events = await watch(token, '1-1');
    const { id } = await events.next('resync');
    const other = await login();
    await events.next('session.opened', other.sessionId);
    // What it says is a place to resume after: not to be told the same each time.
    const again = await watch(token, id);
    await again.next('session.opened', other.sessionId);
    expect(again.seen.map(({ event }) => event)).not.toContain('resync');
  });

  it('ends with its own session, after saying so', async () => {
    const { token, sessionId } = await account();
    const events = await watch(token);
    await service.http.post('/v1/auth/logout', undefined, { token });
    expect((await events.next('session.ended')).data).toMatchObject({ sessionId });
    await events.ended;
    expectProblem(await service.http.get('/v1/users/me/events', { token }), { status: 401, code: 'invalid_token' });
  });

  it('tells of changes that end every other session, once for each', async () => {
    const { token, person, login } = await account();
    const others = [await login(), await login()].map(({ sessionId }) => sessionId);
    const events = await watch(token);
    const body = { currentPassword: person.password, newPassword: 'a quite different passphrase 7' };
    expect((await service.http.post('/v1/auth/password/change', body, { token })).status).toBe(204);
    const ended = [await events.next('session.ended'), await events.next('session.ended')];
    expect(ended.map(({ data }) => data['sessionId']).sort()).toEqual([...others].sort());
    expect(ended.map(({ data }) => data['reason'])).toEqual(['PASSWORD_CHANGED', 'PASSWORD_CHANGED']);
  });

  it('refuses an id that is none, and whoever shows no token', async () => {
    const { token } = await account();
    const wrong = await service.http.get('/v1/users/me/events', { token, headers: { 'last-event-id': 'x' } });
    expectProblem(wrong, { status: 400, code: 'validation_failed' });
    expectProblem(await service.http.get('/v1/users/me/events'), { status: 401, code: 'invalid_token' });
  });

  it('allows ten streams of one person at a process, and more once one has gone', async () => {
    const { token } = await account();
    const own = await Promise.all(Array.from({ length: 10 }, () => watch(token)));
    expectProblem(await service.http.get('/v1/users/me/events', { token }), { status: 429, code: 'rate_limited' });
    own[0]?.close();
    await expect(
      (async () => {
        for (;;) {
          const reader = await openEvents(service.apiUrl, token).catch(() => undefined);
          reader?.close();
          if (reader !== undefined) return;
        }
      })(),
    ).resolves.toBeUndefined();
  });

  it('is the same at every process, however the event came about', async () => {
    const other = await startSecondApi(service);
    try {
      const { token, login } = await account();
      const events = await watch(token, undefined, other.url);
      const { sessionId } = await login();
      await events.next('session.opened', sessionId);
      // Whichever of them carries the events on: the one that is left does it.
      await service.processes.api.stop();
      const logout = await other.http.post('/v1/auth/logout', undefined, { token });
      expect(logout.status).toBe(204);
      await events.next('session.ended');
    } finally {
      await service.processes.api.start();
      await other.process.stop();
    }
  });

  it('goes on when Redis comes back, without what happened meanwhile being lost', async () => {
    const { token, login } = await account();
    const events = await watch(token);
    await events.next('session.opened', (await login()).sessionId);
    await service.stack.valkey?.kill();
    const { sessionId } = await login();
    expectProblem(await service.http.get('/v1/users/me/events', { token }), {
      status: 503,
      code: 'service_unavailable',
    });
    await service.stack.valkey?.start();
    await events.next('session.opened', sessionId);
  });
});
