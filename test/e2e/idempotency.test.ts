import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { exampleBody, type Operation, readOperations } from '../support/api-document';
import { eventually } from '../support/eventually';
import { databaseText } from '../support/footprint';
import { holdTable, someoneWaits } from '../support/hold';
import type { Answer, HttpClient } from '../support/http-client';
import {
  contentOf,
  countSessions,
  expectReplayOf,
  isReplayed,
  newKey,
  postWithKey,
  repeatUntilDone,
} from '../support/idempotency';
import { logIn, mailedCode, newPerson, type Person, register, signUp, verify, wrongCode } from '../support/people';
import { expectProblem } from '../support/problems';
import { type SecondApi, startSecondApi } from '../support/second-process';
import { useTestService } from '../support/service';
import { type Account, freshToken, hire } from '../support/staff';

const REUSED = { status: 422, code: 'idempotency_key_reused' };
const IN_FLIGHT = { status: 409, code: 'idempotency_in_flight' };
const MALFORMED = { status: 400, code: 'invalid_idempotency_key' };
const START_TIMEOUT_MS = 60_000;
const ENV = { RATE_LIMIT_MODE: 'observe' };
const LOGIN = '/v1/auth/login';

let second: SecondApi;
// Hooks run in the order in which they are registered: this one before the stack stops.
afterAll(() => second.process.stop(), START_TIMEOUT_MS);
const service = useTestService({ env: ENV });
beforeAll(async () => {
  second = await startSecondApi(service, {
    ...ENV,
    // One hash at a time and none that waits: easily overloaded.
    PASSWORD_HASH_CONCURRENCY: '1',
    PASSWORD_HASH_QUEUE: '0',
  });
}, START_TIMEOUT_MS);

const person = newPerson({ firstName: 'Sentinelfirst', phone: '+251977310554' });
const credentials = ({ email, password }: Person) => ({ email, password });
let userId = '';

beforeAll(async () => {
  userId = (await signUp(service, person)).body.user.id as string;
});

const login = (key: string, who: Person = person, http: HttpClient = service.http): Promise<Answer> =>
  postWithKey(http, LOGIN, key, credentials(who));
const sql = (text: string, values: unknown[] = []) => service.database.query(text, values);

describe('a request without an Idempotency-Key', () => {
  it('costs no query: it goes on while the table of keys is away', async () => {
    await sql('ALTER TABLE idempotency_keys RENAME TO idempotency_keys_away');
    try {
      expect((await register(service, newPerson())).status).toBe(202);
      const { status, body } = await logIn(service, person);
      expect(status).toBe(200);
      const refreshed = await service.http.post('/v1/auth/refresh', { refreshToken: body.refreshToken as string });
      expect(refreshed.status).toBe(200);
      expect(isReplayed(refreshed)).toBe(false);
      const token = refreshed.body.accessToken as string;
      expect((await service.http.post('/v1/auth/logout', undefined, { token })).status).toBe(204);
      expect((await login(newKey())).status).toBe(500);
    } finally {
      await sql('ALTER TABLE idempotency_keys_away RENAME TO idempotency_keys');
    }
  });

  it('may be a GET with any header', async () => {
    const { body } = await logIn(service, person);
    const options = { token: body.accessToken as string, headers: { 'idempotency-key': 'x' } };
    expect((await service.http.get('/v1/users/me', options)).status).toBe(200);
  });
});

describe('a repeated request', () => {
  it('gets the first answer on every process, and is done once', async () => {
    const [key, before] = [newKey(), await countSessions(service, { userId })];
    const first = await login(key);
    expect(first.status).toBe(200);
    expectReplayOf(first, await login(key));
    expectReplayOf(first, await login(key, person, second.http));
    expect(await countSessions(service, { userId })).toBe(before + 1);
    const token = first.body.accessToken as string;
    expect((await service.http.get('/v1/users/me', { token })).status).toBe(200);
  });

  it('is the same with the quoted key of the draft, another order of fields and another spelling of the address', async () => {
    const key = newKey();
    const first = await login(key);
    const { email, password } = person;
    const body = `{"password": ${JSON.stringify(password)}, "email": " ${email.toUpperCase()}"}`;
    expectReplayOf(
      first,
      await postWithKey(service.http, LOGIN, `"${key}"`, body, { headers: { 'content-type': 'application/json' } }),
    );
  });

  it('gets a refusal again as well, in its own language and with its own request id', async () => {
    const key = newKey();
    const stranger = { ...person, password: 'not the password' };
    const first = await login(key, stranger);
    expectProblem(first, { status: 401, code: 'invalid_credentials' });
    const again = await postWithKey(service.http, LOGIN, key, credentials(stranger), {
      headers: { 'accept-language': 'am' },
    });
    expectProblem(again, { status: 401, code: 'invalid_credentials' });
    expect(isReplayed(again)).toBe(true);
    expect(again.body.detail).toMatch(/\p{Script=Ethiopic}/u);
    expect(again.body.requestId).not.toBe(first.body.requestId);
  });

  it('of a wrong code is one try, not six', async () => {
    const other = newPerson();
    const id = (await register(service, other)).body.registrationId as string;
    const code = await mailedCode(service, other.email);
    const [key, path] = [newKey(), `/v1/auth/register/${id}/verify`];
    for (let time = 0; time < 6; time += 1) {
      const answer = await postWithKey(service.http, path, key, { code: wrongCode(code) });
      expectProblem(answer, { status: 422, code: 'invalid_code' });
      expect(isReplayed(answer)).toBe(time > 0);
    }
    const { rows } = await sql('SELECT failed_attempts FROM registrations WHERE id = $1', [id]);
    expect(rows).toEqual([{ failed_attempts: 1 }]);
    expect((await verify(service, id, code)).status).toBe(201);
  });

  it('of a registration is one registration, also with another Accept-Language and at the same time', async () => {
    const other = newPerson();
    const key = newKey();
    const send = (index: number) =>
      repeatUntilDone(
        () =>
          postWithKey(service.http, '/v1/auth/register', key, other, {
            headers: { 'accept-language': index % 2 === 0 ? 'am' : 'en' },
          }),
        10_000,
      );
    const answers = await Promise.all(Array.from({ length: 6 }, (_, index) => send(index)));
    expect(new Set(answers.map(({ answer }) => JSON.stringify(answer.body))).size).toBe(1);
    expect(answers.filter(({ answer }) => !isReplayed(answer))).toHaveLength(1);
    // Joined also where nothing is remembered of it.
    await sql('DELETE FROM idempotency_keys');
    expect((await postWithKey(service.http, '/v1/auth/register', key, other)).body).toEqual(answers[0]?.answer.body);
    await service.mailbox.waitFor(other.email, /./);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(await service.mailbox.to(other.email)).toHaveLength(1);
  });
});

describe('a key', () => {
  it('with another body is refused, and gives nobody the tokens of somebody else', async () => {
    const key = newKey();
    const first = await login(key);
    const strangers = [{ ...person, password: 'a guess' }, { ...person, email: newPerson().email }, newPerson()];
    for (const stranger of strangers) {
      for (const http of [service.http, second.http]) {
        const answer = await login(key, stranger, http);
        expectProblem(answer, REUSED, [first.body.accessToken as string, person.email]);
        expect(isReplayed(answer)).toBe(false);
      }
    }
    expectReplayOf(first, await login(key));
  });

  it('is one of its caller, route and path', async () => {
    const key = newKey();
    const other = newPerson();
    const sessions = await Promise.all([logIn(service, person), signUp(service, other)]);
    for (const { body } of sessions) {
      const answer = await postWithKey(service.http, '/v1/auth/logout', key, undefined, {
        token: body.accessToken as string,
      });
      expect(answer.status).toBe(204);
      expect(isReplayed(answer)).toBe(false);
    }
    expect(isReplayed(await login(key))).toBe(false);
    const ids = await Promise.all(
      [1, 2].map(async () => (await register(service, newPerson())).body.registrationId as string),
    );
    for (const id of ids) {
      const answer = await postWithKey(service.http, `/v1/auth/register/${id}/verify`, key, { code: '000000' });
      expect(isReplayed(answer)).toBe(false);
    }
  });

  it.each([
    ['empty', ''],
    ['short', 'k'.repeat(15)],
    ['long', 'k'.repeat(256)],
    ['with a space', 'a key with some spaces'],
    ['of two headers', `${newKey()}, ${newKey()}`],
    ['not ASCII', 'clé-clé-clé-clé-clé-clé'],
    ['with an open quote', `"${newKey()}`],
  ])('that is malformed is refused before anything is done: %s', async (_name, key) => {
    const before = await countSessions(service, { userId });
    const answer = await login(key);
    expectProblem(answer, MALFORMED);
    expect(await countSessions(service, { userId })).toBe(before);
  });

  it('works for a day', async () => {
    const key = newKey();
    const first = await login(key);
    const shift = (hours: number) =>
      sql(`UPDATE idempotency_keys SET expires_at = expires_at - make_interval(secs => $1)`, [hours * 3_600]);
    await shift(23.9);
    expectReplayOf(first, await login(key));
    await shift(0.1);
    const next = await login(key);
    expect(next.status).toBe(200);
    expect(isReplayed(next)).toBe(false);
    expect(next.body.sessionId).not.toBe(first.body.sessionId);
    // And for another body.
    await shift(24);
    expectProblem(await login(key, { ...person, password: 'a guess' }), { status: 401, code: 'invalid_credentials' });
  });

  it('of two requests at once, on two processes, is worked on by one; the other is told to come back', async () => {
    const [key, before] = [newKey(), await countSessions(service, { userId })];
    const hold = await holdTable(service, 'sessions');
    const first = login(key);
    try {
      await someoneWaits(service, 'sessions');
      for (const http of [service.http, second.http]) {
        const other = await login(key, person, http);
        expectProblem(other, IN_FLIGHT);
        expect(other.headers.get('retry-after')).toBe('1');
      }
      expectProblem(await login(key, { ...person, password: 'a guess' }, second.http), REUSED);
    } finally {
      await hold.release();
    }
    expect((await first).status).toBe(200);
    expectReplayOf(await first, await login(key, person, second.http));
    expect(await countSessions(service, { userId })).toBe(before + 1);
  });
});

describe('an answer that asks to come back', () => {
  it('500 is not remembered', async () => {
    const key = newKey();
    await sql('ALTER TABLE sessions RENAME TO sessions_away');
    try {
      expectProblem(await login(key), { status: 500, code: 'internal_error' });
      expectProblem(await login(key), { status: 500, code: 'internal_error' });
      // The key stays with its body.
      expectProblem(await login(key, { ...person, password: 'a guess' }), REUSED);
    } finally {
      await sql('ALTER TABLE sessions_away RENAME TO sessions');
    }
    const done = await login(key);
    expect(done.status).toBe(200);
    expect(isReplayed(done)).toBe(false);
    expectReplayOf(done, await login(key));
  });

  it('503 `overloaded` gives the key back', async () => {
    const keys = Array.from({ length: 8 }, newKey);
    const answers = await Promise.all(keys.map((key) => login(key, person, second.http)));
    const refused = keys.filter((_, index) => answers[index]?.status === 503);
    expect(refused.length).toBeGreaterThan(0);
    for (const key of refused) {
      const answer = await login(key);
      expect(answer.status).toBe(200);
      expect(isReplayed(answer)).toBe(false);
    }
  });

  it('429 is not remembered, and what comes after the wait is', async () => {
    const other = newPerson();
    const id = (await register(service, other)).body.registrationId as string;
    await mailedCode(service, other.email);
    const [key, path] = [newKey(), `/v1/auth/register/${id}/resend`];
    expectProblem(await postWithKey(service.http, path, key), { status: 429, code: 'resend_too_soon' });
    await sql(`UPDATE registrations SET last_issued_at = last_issued_at - interval '61 seconds' WHERE id = $1`, [id]);
    const sent = await postWithKey(service.http, path, key);
    expect(sent.status).toBe(202);
    expectReplayOf(sent, await postWithKey(service.http, path, key));
    // Not sent again where the answer was lost before it was noted.
    await sql('UPDATE idempotency_keys SET answer_ciphertext = NULL, lease_expires_at = now()');
    expect(await postWithKey(service.http, path, key)).toMatchObject({ status: 202, body: sent.body });
    await mailedCode(service, other.email, 2);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(await service.mailbox.to(other.email)).toHaveLength(2);
  });
});

describe('every write of the OpenAPI document', () => {
  const writes = async (): Promise<Operation[]> =>
    (await readOperations(service.http)).filter(({ method }) => method !== 'GET');
  const tokens = new Map<Account, string>();
  /** Of a session of two factors, opened just now; some operations end it. */
  const tokenOf = async (who: Account): Promise<string> => {
    const known = tokens.get(who) ?? who.token;
    const isOver = (await service.http.get('/v1/users/me', { token: known })).status === 401;
    const token = isOver ? await freshToken(service, who) : known;
    tokens.set(who, token);
    return token;
  };
  /** What is refused for its sender is refused before. */
  const send = async ({ method, path, bodies: [schema] }: Operation, key: string, who: Account | undefined) => {
    const token = who && (await tokenOf(who));
    return service.http.send(method, path, {
      ...(schema !== undefined && { body: exampleBody(schema) }),
      ...(token !== undefined && { token }),
      headers: { 'idempotency-key': key },
    });
  };

  it('takes a key, and refuses a malformed one', async () => {
    const all = await writes();
    expect(all.length).toBeGreaterThan(5);
    for (const operation of all) {
      // An administrator may use every route.
      const who = operation.needsToken ? await hire(service, 'ADMIN') : undefined;
      expectProblem(await send(operation, 'too short', who), MALFORMED);
      const key = newKey();
      const [first, again] = [await send(operation, key, who), await send(operation, key, who)];
      const place = `${operation.method} ${operation.pattern}`;
      expect({ place, status: again.status, content: contentOf(again) }).toEqual({
        place,
        status: first.status,
        content: contentOf(first),
      });
      const isRemembered = first.status < 429 && first.body?.code !== 'validation_failed';
      expect({ place, replayed: isReplayed(again) }).toEqual({ place, replayed: isRemembered });
    }
  });
});

describe('what is kept', () => {
  it('shows no token, no key and nothing of the person, in the database and in the logs', async () => {
    const key = newKey();
    const other = newPerson({ firstName: 'Sentinelfirst' });
    const id = (await postWithKey(service.http, '/v1/auth/register', key, other)).body.registrationId as string;
    const code = await mailedCode(service, other.email);
    const path = `/v1/auth/register/${id}/verify`;
    const verified = await postWithKey(service.http, path, key, { code });
    expectReplayOf(verified, await postWithKey(service.http, path, key, { code }));
    const refreshed = await postWithKey(service.http, '/v1/auth/refresh', key, {
      refreshToken: verified.body.refreshToken as string,
    });
    const secrets = [key, other.email, other.password, other.firstName ?? '', id];
    const tokens = [verified, refreshed].flatMap(({ body }) => [
      body.refreshToken as string,
      body.accessToken as string,
    ]);
    const text = (await databaseText(service)).split('\n').filter((line) => line.startsWith('idempotency_keys '));
    expect(text.length).toBeGreaterThan(3);
    const { logDir } = service.stack;
    const logs = (await readdir(logDir, { withFileTypes: true }))
      .filter((entry) => entry.isFile() && entry.name !== 'mail.log')
      .map(({ name }) => readFile(join(logDir, name), 'utf8'));
    const places = { database: text.join('\n'), logs: (await Promise.all(logs)).join('\n') };
    for (const secret of [...secrets.filter((value) => value !== id), ...tokens]) {
      for (const form of [secret, Buffer.from(secret).toString('hex'), Buffer.from(secret).toString('base64url')]) {
        expect(places.database.includes(form)).toBe(false);
        expect(places.logs.includes(form)).toBe(false);
      }
    }
  });

  it('does not grow: expired keys go while others come', async () => {
    await sql(`UPDATE idempotency_keys SET expires_at = expires_at - interval '25 hours'`);
    for (let count = 0; count < 64; count += 1)
      await postWithKey(service.http, '/v1/auth/refresh', newKey(), { refreshToken: 'x'.repeat(43) });
    await eventually('the expired keys to be gone', async () => {
      const { rows } = await sql('SELECT count(*)::int AS count FROM idempotency_keys WHERE expires_at <= now()');
      return (rows[0] as { count: number }).count === 0;
    });
  });
});

describe('without the database', () => {
  it('a request with a key is refused with 503, and done when it is back', async () => {
    const key = newKey();
    await service.stack.postgres?.kill();
    const refused = await login(key);
    expectProblem(refused, { status: 503, code: 'service_unavailable' });
    await service.stack.postgres?.start();
    const { answer } = await repeatUntilDone(() => login(key), 30_000);
    expect(answer.status).toBe(200);
  });
});
