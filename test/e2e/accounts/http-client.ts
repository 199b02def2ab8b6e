import { spawn } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, test } from '@jest/globals';

import { createAuthClient, ProblemError, unwrap } from '../../../clients/typescript-http/src';
import { PROJECT_ROOT } from '../../../tools/project';
import { POSTMAN_COLLECTION } from '../../../tools/openapi-clients';
import { mailedCode, newPerson, type Person, signUp } from '../../support/people';
import { useSharedService } from '../../support/service';

const service = useSharedService();

type Client = ReturnType<typeof createAuthClient>;

/** A client that notes what it sends. */
const noting = (options: { locale?: 'am'; lose?: (request: Request) => boolean } = {}) => {
  const sent: Request[] = [];
  const answers: Response[] = [];
  const client = createAuthClient({
    baseUrl: service.apiUrl,
    ...(options.locale !== undefined && { locale: options.locale }),
    fetch: async (request) => {
      sent.push(request);
      const isLost = options.lose?.(request) === true;
      const answer = await fetch(request);
      if (isLost) throw new TypeError('The answer was lost');
      answers.push(answer);
      return answer;
    },
  });
  return { client, sent, answers };
};

const logIn = async (client: Client, { email, password }: Person) => {
  const answer = await unwrap(client.POST('/v1/auth/login', { body: { email, password } }));
  if ('mfaRequired' in answer) throw new Error('There is no second factor');
  await client.keep(answer);
  return answer;
};

const problemOf = async (sent: Promise<unknown>): Promise<ProblemError> => {
  const error: unknown = await sent.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof ProblemError) return error;
  throw new Error('There was no problem', { cause: error });
};

describe('the HTTP client against the live service', () => {
  test('registers, verifies, logs in, reads, refreshes and logs out', async () => {
    const { client, sent } = noting();
    const person = newPerson({ firstName: 'Abebe' });
    const { registrationId } = await unwrap(client.POST('/v1/auth/register', { body: person }));
    const verified = await unwrap(
      client.POST('/v1/auth/register/{registrationId}/verify', {
        params: { path: { registrationId } },
        body: { code: await mailedCode(service, person.email) },
      }),
    );
    expect(verified.user).toMatchObject({ email: person.email, firstName: 'Abebe' });
    const { refreshToken } = await logIn(client, person);
    expect(await unwrap(client.GET('/v1/users/me'))).toMatchObject({ email: person.email, emailVerified: true });
    const next = await unwrap(client.POST('/v1/auth/refresh', { body: { refreshToken } }));
    expect(next.refreshToken).not.toBe(refreshToken);
    await client.keep(next);
    expect((await client.POST('/v1/auth/logout')).response.status).toBe(204);
    expect((await problemOf(unwrap(client.GET('/v1/users/me')))).code).toBe('invalid_token');
    // The session is over for good, and the client knows.
    expect(await client.tokens.read()).toBeUndefined();
    const keys = sent.filter(({ method }) => method === 'POST').map(({ headers }) => headers.get('Idempotency-Key'));
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys).not.toContain(null);
  });

  test('tells what is wrong by code and field, in the language of its user', async () => {
    const { client } = noting({ locale: 'am' });
    const problem = await problemOf(
      unwrap(client.POST('/v1/auth/register', { body: { email: 'nobody', password: 'x' } })),
    );
    expect(problem).toMatchObject({ status: 400, code: 'validation_failed', requestId: expect.stringMatching(/./) });
    expect(problem.errors.map(({ path }) => path).toSorted()).toEqual(['/email', '/password']);
    expect(problem.message).toMatch(/[\u1200-\u137f]/);
  });

  test('exchanges an expired token once for all requests that meet it', async () => {
    const { client, sent } = noting();
    const person = newPerson();
    await signUp(service, person);
    const { refreshToken } = await logIn(client, person);
    await client.tokens.write({ accessToken: 'expired', refreshToken });
    const all = await Promise.all([1, 2, 3, 4].map(() => unwrap(client.GET('/v1/users/me'))));
    expect(all.map(({ email }) => email)).toEqual(Array.from({ length: 4 }, () => person.email));
    expect(sent.filter(({ url }) => url.endsWith('/v1/auth/refresh'))).toHaveLength(1);
    expect(await client.tokens.read()).not.toMatchObject({ refreshToken });
  });

  test('asks again for an answer that was lost, and gets the first one', async () => {
    let lost = 0;
    const { client, sent, answers } = noting({ lose: ({ method }) => method === 'PATCH' && ++lost === 1 });
    const person = newPerson();
    await signUp(service, person);
    await logIn(client, person);
    const changed = await unwrap(client.PATCH('/v1/users/me', { body: { firstName: 'Kebede' } }));
    expect(changed.firstName).toBe('Kebede');
    expect(answers.at(-1)?.headers.get('Idempotency-Replayed')).toBe('true');
    expect(new Set(sent.slice(-2).map(({ headers }) => headers.get('Idempotency-Key'))).size).toBe(1);
  });

  test('leaves what is wrong as it is, and does not repeat it', async () => {
    const { client, sent } = noting();
    const problem = await problemOf(
      unwrap(client.POST('/v1/auth/login', { body: { email: 'nobody@example.et', password: 'not the one' } })),
    );
    expect([problem.code, sent.length]).toEqual(['invalid_credentials', 1]);
  });
});

const READS = [
  'Whether the process runs; asks nothing else',
  'Public keys of the access tokens (RFC 7517)',
  'The caller',
  'The devices on which the caller is logged in',
  'The second factors of the caller',
];

interface NewmanReport {
  readonly run: {
    readonly executions: readonly {
      readonly item: { readonly name: string };
      readonly response?: { readonly code: number };
    }[];
    readonly failures: readonly unknown[];
  };
}

const runNewman = async (variables: Readonly<Record<string, string>>): Promise<NewmanReport> => {
  const report = join(tmpdir(), `newman-${crypto.randomUUID()}.json`);
  const args = [
    ...['run', POSTMAN_COLLECTION, '--reporters', 'json', '--reporter-json-export', report],
    ...READS.flatMap((name) => ['--folder', name]),
    ...Object.entries(variables).flatMap(([name, value]) => ['--env-var', `${name}=${value}`]),
  ];
  const newman = join(PROJECT_ROOT, 'node_modules', 'newman', 'bin', 'newman.js');
  await new Promise((resolve, reject) => {
    spawn(process.execPath, [newman, ...args], { stdio: 'ignore' })
      .once('error', reject)
      .once('close', resolve);
  });
  const text = await readFile(report, 'utf8');
  await rm(report);
  return JSON.parse(text) as NewmanReport;
};

test('the Postman collection runs as it is, by newman', async () => {
  const { body } = await signUp(service, newPerson());
  const { run } = await runNewman({ baseUrl: service.apiUrl, accessToken: body.accessToken as string });
  expect(run.executions.map(({ item, response }) => [item.name, response?.code])).toEqual(
    expect.arrayContaining(READS.map((name) => [name, 200])),
  );
  expect(run.failures).toEqual([]);
});
