import { Agent, request as httpRequest } from 'node:http';

import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { base64url, exportSPKI, generateKeyPair, importJWK, type JWK, type JWTPayload, SignJWT } from 'jose';

import { type BodySchema, exampleBody, NOBODYS_ID, type Operation, readOperations } from '../support/api-document';
import { eventually } from '../support/eventually';
import { countWorkflows, databaseFootprint } from '../support/footprint';
import { createForge } from '../support/forge';
import type { Answer } from '../support/http-client';
import {
  logIn,
  mailedCode,
  newFaydaId,
  newPerson,
  newPhone,
  type Person,
  register,
  signUp,
  verify,
  WELCOME_SUBJECT,
} from '../support/people';
import { complaints, expectProblem } from '../support/problems';
import { sendRaw } from '../support/raw-http';
import { useTestService } from '../support/service';
import { giveApp, giveRoles, stepUpSession } from '../support/staff';

/** Stands in every value that is sent, so that any echo is found. */
const CANARY = 'kanarienvogel';
const ETHIOPIC = /\p{Script=Ethiopic}/u;
const VALIDATION_FAILED = { status: 400, code: 'validation_failed' };
const MALFORMED_JSON = { status: 400, code: 'malformed_json' };
const TOO_LARGE = { status: 413, code: 'payload_too_large' };
const UNSUPPORTED = { status: 415, code: 'unsupported_media_type' };
const INVALID_TOKEN = { status: 401, code: 'invalid_token' };

const service = useTestService({ env: { RATE_LIMIT_MODE: 'observe' } });

describe('bad input', () => {
  const person = newPerson({ phone: newPhone(), firstName: 'Abebe' });
  const before = { database: {} as Record<string, string>, workflows: 0 };
  let operations: Operation[] = [];
  let session: { accessToken: string; refreshToken: string; sessionId: string; userId: string };

  beforeAll(async () => {
    const { body } = await signUp(service, person);
    session = { ...body, userId: body.user.id };
    // Whoever may not call a route is not told what is wrong with the request.
    await giveRoles(service, session.userId, ['ADMIN']);
    // Nor is whoever has to show a second factor first.
    await giveApp(service, session.userId);
    await stepUpSession(service, session.sessionId);
    await register(service, newPerson());
    await service.mailbox.waitFor(person.email, WELCOME_SUBJECT);
    await eventually('the records of all mails', async () => {
      const { rows } = await service.database.query(
        `SELECT count(*)::int AS all, count(sent_at)::int AS sent FROM mail_deliveries`,
      );
      return (rows[0] as { all: number; sent: number }).sent === 3;
    });
    operations = await readOperations(service.http);
    before.workflows = await countWorkflows(service);
    before.database = await databaseFootprint(service);
  });

  const send = async (
    { method, path, needsToken }: Pick<Operation, 'method' | 'path'> & { needsToken?: boolean },
    body: string | Uint8Array<ArrayBuffer> | null,
    headers: Record<string, string> = {},
  ): Promise<Answer> => {
    const response = await fetch(`${service.apiUrl}${path}`, {
      method,
      headers: {
        'content-type': 'application/json',
        ...(needsToken === true && { authorization: `Bearer ${session.accessToken}` }),
        ...headers,
      },
      body,
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: text === '' ? undefined : (JSON.parse(text) as unknown),
    };
  };
  const sendJson = (operation: Operation, body: unknown) => send(operation, JSON.stringify(body));

  const withBody = (): Operation[] => operations.filter(({ bodies }) => bodies.length > 0);
  const withBodies = (): { operation: Operation; schema: BodySchema }[] =>
    withBody().flatMap((operation) => operation.bodies.map((schema) => ({ operation, schema })));

  const writesNothing = async (work: () => Promise<void>): Promise<void> => {
    const footprint = await databaseFootprint(service);
    await work();
    expect(await databaseFootprint(service)).toEqual(footprint);
  };

  it('is tried on every route of the contract', () => {
    expect(withBody().map(({ method, pattern }) => `${method} ${pattern}`)).toEqual(
      expect.arrayContaining([
        'POST /v1/auth/register',
        'POST /v1/auth/register/{registrationId}/verify',
        'POST /v1/auth/login',
        'POST /v1/auth/refresh',
      ]),
    );
    expect(operations.filter(({ needsToken }) => needsToken).map(({ pattern }) => pattern)).toEqual(
      expect.arrayContaining(['/v1/auth/logout', '/v1/auth/logout-all', '/v1/users/me']),
    );
  });

  describe('in the body', () => {
    it.each([
      ['an end in the midst', `{"email":"${CANARY}`],
      ['a comma too many', `{"email":"${CANARY}",}`],
      ['single quotes', `{'email':'${CANARY}'}`],
      ['NaN', `{"email":NaN,"x":"${CANARY}"}`],
      ['something after the end', `{"email":"${CANARY}"}{}`],
      ['NUL after the end', `{"email":"${CANARY}"}\u0000`],
      ['a byte order mark', `\ufeff{"email":"${CANARY}"}`],
      ['a control character inside of a string', `{"email":"${CANARY}\n"}`],
      ['a wrong escape', `{"email":"${CANARY}\\x41"}`],
      ['nothing but blanks', '  '],
      ['a form', `email=${CANARY}&password=${CANARY}`],
    ])('malformed JSON: %s', async (_name, body) => {
      await writesNothing(async () => {
        for (const operation of withBody()) expectProblem(await send(operation, body), MALFORMED_JSON, [CANARY]);
      });
    });

    it.each([
      ['a byte that never occurs', Buffer.from([0xff])],
      ['an overlong form', Buffer.from([0xc0, 0xaf])],
      ['half a surrogate pair', Buffer.from([0xed, 0xa0, 0x80])],
      ['a sequence cut short', Buffer.from([0xe1, 0x88])],
    ])('invalid UTF-8: %s', async (_name, bytes) => {
      await writesNothing(async () => {
        for (const operation of withBody()) {
          const body = Buffer.concat([Buffer.from(`{"email":"${CANARY}`), bytes, Buffer.from('"}')]);
          expectProblem(await send(operation, Uint8Array.from(body)), MALFORMED_JSON, [CANARY]);
        }
      });
    });

    it('no body at all', async () => {
      for (const operation of withBody()) {
        expectProblem(await send(operation, null), VALIDATION_FAILED);
        expectProblem(await send(operation, ''), VALIDATION_FAILED);
      }
    });

    it.each(['null', 'true', '0', '1e999', `"${CANARY}"`, '[]', '[{}]', `[["${CANARY}"]]`, '{}'])(
      'something else than the object: %s',
      async (body) => {
        for (const operation of withBody()) {
          // Where nothing is required, nothing is a request as well.
          if (body === '{}' && operation.bodies.some(({ required = [] }) => required.length === 0)) continue;
          const answer = await send(operation, body);
          expectProblem(answer, VALIDATION_FAILED, [CANARY]);
          expect(complaints(answer).length).toBeGreaterThan(0);
        }
      },
    );

    it('wrong types of every field', async () => {
      await writesNothing(async () => {
        for (const { operation, schema } of withBodies()) {
          for (const [name, { type, nullable }] of Object.entries(schema.properties)) {
            const common: unknown[] = [
              ...(nullable === true ? [] : [null]),
              0,
              -1.5,
              ...(type === 'boolean' ? [] : [true]),
              { $ne: CANARY },
              { toString: CANARY },
            ];
            const values = type === 'array' ? [...common, CANARY, [0], [null], [[]]] : [...common, [], [CANARY]];
            for (const value of values) {
              const answer = await sendJson(operation, { ...exampleBody(schema), [name]: value });
              expectProblem(answer, VALIDATION_FAILED, [CANARY]);
              expect(complaints(answer).some((path) => path === `/${name}` || path.startsWith(`/${name}/`))).toBe(true);
            }
          }
        }
      });
    });

    it('required fields that are missing', async () => {
      for (const { operation, schema } of withBodies()) {
        for (const name of schema.required ?? []) {
          const { [name]: _, ...rest } = exampleBody(schema);
          const answer = await sendJson(operation, rest);
          expectProblem(answer, VALIDATION_FAILED);
          // What is missing from one alternative may be another one's field.
          if (operation.bodies.length === 1) expect(complaints(answer)).toEqual([`/${name}`]);
          else expect(complaints(answer).length).toBeGreaterThan(0);
        }
      }
    });

    it('fields that nobody asked for (mass assignment)', async () => {
      await writesNothing(async () => {
        for (const { operation, schema } of withBodies()) {
          for (const [name, path] of [
            ['roles', '/roles'],
            ['emailVerified', '/emailVerified'],
            ['userId', '/userId'],
            ['constructor', '/constructor'],
            ['toString', '/toString'],
            ['a/b~c', '/a~1b~0c'],
            ['', '/'],
          ] as const) {
            const answer = await sendJson(operation, { ...exampleBody(schema), [name]: CANARY });
            expectProblem(answer, VALIDATION_FAILED, [CANARY]);
            expect(complaints(answer)).toEqual([path]);
          }
        }
      });
    });

    it('a thousand fields that nobody asked for are not all told', async () => {
      const body = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`field${String(index)}`, CANARY]));
      for (const operation of withBody()) {
        const answer = await sendJson(operation, body);
        expectProblem(answer, VALIDATION_FAILED, [CANARY]);
        expect(complaints(answer)).toHaveLength(20);
      }
    });

    it.each([
      ['NUL', '\u0000'],
      ['a control character', '\u0001'],
      ['a terminal sequence', '\u001b[31m'],
      ['a header break', '\r\nBcc: everybody@example.et\r\n'],
      ['DEL', '\u007f'],
      ['a C1 control', '\u0085'],
      ['a high surrogate', '\ud800'],
      ['a low surrogate', '\udc00'],
      ['surrogates in the wrong order', '\udc00\ud800'],
      ['10,000 characters', 'x'.repeat(10_000)],
      ['10,000 characters outside the BMP', '😀'.repeat(10_000)],
    ])('%s in every text', async (_name, hostile) => {
      await writesNothing(async () => {
        for (const { operation, schema } of withBodies()) {
          const example = exampleBody(schema);
          for (const [name, { type }] of Object.entries(schema.properties)) {
            if (type !== 'string') continue;
            const text = String(example[name]);
            for (const value of [`${text}${hostile}${CANARY}`, `${CANARY}${hostile}${text}`, `${text}${hostile}`]) {
              // Blanks around an address are no fault.
              if (value.trim() === text) continue;
              const answer = await sendJson(operation, { ...example, [name]: value });
              expectProblem(answer, VALIDATION_FAILED, [CANARY]);
              expect(complaints(answer)).toContain(`/${name}`);
            }
          }
        }
      });
    });

    it('in lists, told by the place', async () => {
      const body = { email: newPerson().email, password: 'a good long secret 93' };
      const tell = async (consents: unknown) => {
        const answer = await service.http.post('/v1/auth/register', { ...body, consents });
        expectProblem(answer, VALIDATION_FAILED, [CANARY]);
        return complaints(answer);
      };
      const good = { purpose: 'marketing', version: '2026-01' };
      expect(await tell([good, { ...good, purpose: `${CANARY} ` }])).toEqual(['/consents/1/purpose']);
      expect(await tell([{ ...good, version: `\u0000${CANARY}` }])).toEqual(['/consents/0/version']);
      expect(await tell([{ ...good, extra: CANARY }])).toEqual(['/consents/0/extra']);
      expect(await tell([{ purpose: 'marketing' }])).toEqual(['/consents/0/version']);
      expect(await tell(Array.from({ length: 21 }, () => good))).toEqual(['/consents']);
    });

    it('keys that reach for prototypes', async () => {
      await writesNothing(async () => {
        for (const { operation, schema } of withBodies()) {
          const example = JSON.stringify(exampleBody(schema)).slice(1);
          expectProblem(await send(operation, `{"__proto__":{"${CANARY}":1},${example}`), MALFORMED_JSON, [CANARY]);
          expectProblem(await send(operation, `{"a":[{"__proto__":null}],${example}`), MALFORMED_JSON);
          expectProblem(await send(operation, `{"\\u005f_proto__":{},${example}`), MALFORMED_JSON);
        }
      });
    });

    it('of keys that occur twice the last one counts', async () => {
      for (const { operation, schema } of withBodies()) {
        const example = JSON.stringify(exampleBody(schema)).slice(1, -1);
        for (const name of schema.required ?? []) {
          expectProblem(await send(operation, `{${example},"${name}":null}`), VALIDATION_FAILED);
        }
      }
    });

    it('nesting without end', async () => {
      for (const operation of withBody()) {
        const depth = 30_000;
        expectProblem(await send(operation, '['.repeat(depth) + ']'.repeat(depth)), MALFORMED_JSON);
        expectProblem(await send(operation, '{"a":'.repeat(10_000) + '0' + '}'.repeat(10_000)), MALFORMED_JSON);
        expectProblem(await send(operation, '['.repeat(60_000)), MALFORMED_JSON);
      }
    });
  });

  describe('in size and encoding', () => {
    const bigBody = (bytes: number) => JSON.stringify({ email: CANARY, password: 'x'.repeat(bytes) });

    it('70 KiB', async () => {
      for (const operation of withBody()) {
        expectProblem(await send(operation, bigBody(70 * 1_024)), TOO_LARGE, [CANARY]);
      }
    });

    it('10 MB are refused at once, and the next request on the same agent is served', async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      const { hostname, port } = new URL(service.apiUrl);
      const ask = (method: string, path: string, chunks: readonly Buffer[], headers = {}): Promise<Answer> =>
        new Promise((resolve, reject) => {
          const request = httpRequest({ agent, hostname, port, method, path, headers }, (response) => {
            let text = '';
            response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
            response.on('end', () => {
              const { statusCode: status = 0 } = response;
              const answerHeaders = new Headers(
                Object.entries(response.headersDistinct).map(([k, v]) => [k, String(v)]),
              );
              resolve({ status, headers: answerHeaders, body: JSON.parse(text) as unknown });
            });
          });
          request.on('error', reject);
          for (const chunk of chunks) request.write(chunk);
          request.end();
        });
      const megabyte = Buffer.alloc(1_048_576, 'x');
      const chunks = Array.from({ length: 10 }, () => megabyte);
      try {
        for (const { method, path } of withBody()) {
          const headers = { 'content-type': 'application/json', authorization: `Bearer ${session.accessToken}` };
          for (const length of [{ 'content-length': 10 * megabyte.length }, {}]) {
            const start = performance.now();
            const answer = await ask(method, path, chunks, { ...headers, ...length });
            expectProblem(answer, TOO_LARGE);
            expect(performance.now() - start).toBeLessThan(5_000);
            expect((await ask('GET', '/healthz', [])).status).toBe(200);
          }
        }
      } finally {
        agent.destroy();
      }
    });

    it('a body where none is expected changes nothing', async () => {
      const body = 'x'.repeat(1_048_576);
      const answer = await send({ method: 'POST', path: `/v1/auth/register/${NOBODYS_ID}/resend` }, body);
      expectProblem(answer, { status: 404, code: 'registration_not_found' });
      expectProblem(await send({ method: 'POST', path: '/v1/auth/logout' }, body), INVALID_TOKEN);
      expect((await service.http.get('/healthz')).status).toBe(200);
    });

    it.each([
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/jsonp',
      'application/json; charset=utf-16',
      'application/json, text/plain',
      'application/problem+json',
      'json',
    ])('content type %s', async (type) => {
      for (const { operation, schema } of withBodies()) {
        const answer = await send(operation, JSON.stringify(exampleBody(schema)), { 'content-type': type });
        expectProblem(answer, UNSUPPORTED);
      }
    });

    it('no content type', async () => {
      for (const { method, path } of withBody()) {
        const authorization = `Authorization: Bearer ${session.accessToken}`;
        const head = ['Host: x', authorization, 'Content-Length: 2', 'Connection: close'].join('\r\n');
        expectProblem(await sendRaw(service.apiUrl, `${method} ${path} HTTP/1.1\r\n${head}\r\n\r\n{}`), UNSUPPORTED);
      }
    });

    it.each(['gzip', 'br', 'deflate', 'x-unknown', 'gzip, identity'])('content encoding %s', async (encoding) => {
      for (const operation of withBody()) {
        expectProblem(await send(operation, '{}', { 'content-encoding': encoding }), UNSUPPORTED);
      }
    });
  });

  describe('in the address', () => {
    it.each([
      '/',
      '/v1',
      '/v1/auth/register/',
      `/v1/auth/register/${NOBODYS_ID}/`,
      `/v1/auth/register//${NOBODYS_ID}`,
      '/V1/AUTH/LOGIN',
      '/v1/auth/login/',
      '/v1/auth/login%2f..',
      '/.env',
      '/v1/auth/register/%',
      '/v1/auth/register/%zz',
      '/v1/auth/register/%c0%af',
      '/v1/auth/register/%ed%a0%80',
    ])('%s is not found', async (path) => {
      const close = 'Host: x\r\nConnection: close\r\n\r\n';
      expectProblem(await sendRaw(service.apiUrl, `GET ${path} HTTP/1.1\r\n${close}`), {
        status: 404,
        code: 'not_found',
      });
    });

    it('a known path with a wrong method is told which ones are allowed', async () => {
      for (const path of new Set(operations.map((operation) => operation.path))) {
        const methods = operations.filter((operation) => operation.path === path).map(({ method }) => method);
        const allowed = [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'];
        for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND', 'TRACE']) {
          if (methods.includes(method)) continue;
          const head = `Host: x\r\nConnection: close\r\nContent-Length: 0`;
          const answer = await sendRaw(service.apiUrl, `${method} ${path} HTTP/1.1\r\n${head}\r\n\r\n`);
          expectProblem(answer, { status: 405, code: 'method_not_allowed' });
          expect(answer.headers.get('allow')?.split(', ').sort()).toEqual(allowed.sort());
        }
      }
    });

    it.each([
      CANARY,
      '1',
      'null',
      '019ac0de5b1c7f2e9c393f9a4d1f0a11',
      `{${NOBODYS_ID}}`,
      `${NOBODYS_ID}0`,
      `${NOBODYS_ID}%00`,
      `${NOBODYS_ID}%0A`,
      "' OR 1=1 --",
      `${NOBODYS_ID}' OR RunId != '`,
      '00000000-0000-9000-8000-000000000000',
      '..%2f..%2fusers%2fme',
    ])('an id that is none: %s', async (id) => {
      for (const operation of operations.filter(({ path }) => path.includes(NOBODYS_ID))) {
        const path = operation.path.replace(NOBODYS_ID, id.includes('%') ? id : encodeURIComponent(id));
        const example = operation.bodies[0] === undefined ? null : JSON.stringify(exampleBody(operation.bodies[0]));
        const answer = await send({ ...operation, path }, example);
        expectProblem(answer, VALIDATION_FAILED, [CANARY]);
        expect(complaints(answer)).not.toEqual([]);
        for (const name of complaints(answer)) expect(name).toMatch(/^\w+$/);
      }
    });
  });

  describe('in the headers', () => {
    it.each([
      [
        'headers of 20 KB',
        `GET /healthz HTTP/1.1\r\nHost: x\r\nX-Much: ${'x'.repeat(20_000)}\r\n\r\n`,
        431,
        'headers_too_large',
      ],
      [
        'two thousand headers',
        `GET /healthz HTTP/1.1\r\nHost: x\r\n${'X-Many: 0123456789\r\n'.repeat(2_000)}\r\n`,
        431,
        'headers_too_large',
      ],
      ['a path of 20 KB', `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, 431, 'headers_too_large'],
      ['no HTTP', 'hello\r\n\r\n', 400, 'malformed_request'],
      ['a method that does not exist', 'HACK / HTTP/1.1\r\nHost: x\r\n\r\n', 400, 'malformed_request'],
      [
        'two lengths (request smuggling)',
        'POST /v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}',
        400,
        'malformed_request',
      ],
      [
        'a length and chunks (request smuggling)',
        'POST /v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
        400,
        'malformed_request',
      ],
      [
        'a length below zero',
        'POST /v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n',
        400,
        'malformed_request',
      ],
      ['NUL in a value', 'GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: \u0000\r\n\r\n', 400, 'malformed_request'],
    ])('%s', async (_name, request, status, code) => {
      const answer = await sendRaw(service.apiUrl, request);
      expect(answer.headers.get('content-type')).toBe('application/problem+json');
      expect(answer.body).toEqual({
        type: `urn:meqenet:problem:${code}`,
        title: expect.stringMatching(/./),
        status,
        detail: expect.stringMatching(/./),
        instance: `urn:uuid:${String(answer.body.requestId)}`,
        code,
        requestId: answer.headers.get('x-request-id'),
      });
      expect(answer.status).toBe(status);
    });

    it('an id of a request is taken over only in a sane form', async () => {
      const idOf = async (given: string) =>
        (await service.http.get('/nowhere', { headers: { 'x-request-id': given } })).body.requestId as string;
      expect(await idOf('order-4711')).toBe('order-4711');
      for (const given of ['short', 'x'.repeat(65), 'a b c d e f', '${jndi:ldap://x}', '<script>alert(1)</script>'])
        expect(await idOf(given)).toMatch(/^[0-9a-f-]{36}$/);
    });

    const authorizations: [string, (token: string) => string][] = [
      ['nothing', () => ''],
      ['only the scheme', () => 'Bearer'],
      ['another scheme', (token) => `Basic ${token}`],
      ['no scheme', (token) => token],
      ['a prefix of the scheme', (token) => `Bear ${token}`],
      ['two tokens', (token) => `Bearer ${token} ${token}`],
      ['two schemes', (token) => `Bearer Bearer ${token}`],
      ['garbage', () => `Bearer ${CANARY}`],
      ['only dots', () => 'Bearer ..'],
      ['a dot too many', (token) => `Bearer ${token}.`],
      ['no signature', (token) => `Bearer ${token.split('.').slice(0, 2).join('.')}.`],
      ['12 KB', () => `Bearer ${'x'.repeat(12_000)}`],
      ['12 KB of dots', () => `Bearer ${'.'.repeat(12_000)}`],
      ['a refresh token', () => `Bearer ${session.refreshToken}`],
    ];
    it.each(authorizations)('no good Authorization: %s', async (_name, make) => {
      for (const { method, path } of operations.filter(({ needsToken }) => needsToken)) {
        const answer = await service.http.send(method, path, {
          headers: { authorization: make(session.accessToken) },
        });
        expectProblem(answer, INVALID_TOKEN, [CANARY]);
        expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
      }
    });
  });

  describe('in the access token (RFC 8725)', () => {
    const me = (token: string) => service.http.get('/v1/users/me', { token });
    const part = (value: unknown): string => base64url.encode(JSON.stringify(value));

    it('one that is forged with the right key and claims passes, so that each of the following fails for one reason', async () => {
      const forge = await createForge(service);
      expect((await me(await forge.sign(forge.claims(session), forge.header))).status).toBe(200);
    });

    it.each([
      ['another issuer', { iss: 'somebody.else' }],
      ['no issuer', { iss: undefined }],
      ['another audience', { aud: 'another-api' }],
      ['no audience', { aud: undefined }],
      ['an end that is past', { exp: Math.floor(Date.now() / 1_000) - 10 }],
      ['no end', { exp: undefined }],
      ['an end that is no number', { exp: 'never' as never }],
      ['a start that is still to come', { nbf: Math.floor(Date.now() / 1_000) + 3_600 }],
      ['no id', { jti: undefined }],
      ['no time of issue', { iat: undefined }],
      ['no session', { sid: undefined }],
      ['a session that is no id', { sid: "' OR 1=1" }],
      ['a session that does not exist', { sid: NOBODYS_ID }],
      ['no subject', { sub: undefined }],
      ['another subject than its session has', { sub: NOBODYS_ID }],
      ['a role that does not exist', { roles: ['GOD'] }],
    ])('%s', async (_name, change) => {
      const forge = await createForge(service);
      expectProblem(
        await me(await forge.sign({ ...forge.claims(session), ...(change as JWTPayload) }, forge.header)),
        INVALID_TOKEN,
      );
    });

    it.each([
      ['the type of any JWT', { typ: 'JWT' }],
      ['no type', { typ: undefined }],
      ['no key id', { kid: undefined }],
      ['another key id', { kid: 'another' }],
      ['a key id that reaches for a prototype', { kid: '__proto__' }],
      ['a key id that reaches for a file', { kid: '../../../dev/null' }],
      ['an extension that must be understood', { crit: ['urn:x'], 'urn:x': true }],
    ])('%s in the header', async (_name, change) => {
      const forge = await createForge(service);
      const header = Object.fromEntries(
        Object.entries({ ...forge.header, ...change }).filter(([, value]) => value !== undefined),
      ) as never;
      expectProblem(await me(await forge.sign(forge.claims(session), header)), INVALID_TOKEN);
    });

    it.each(['none', 'None', 'NONE', 'nOnE', ''])('algorithm %p', async (alg) => {
      const forge = await createForge(service);
      const unsigned = `${part({ ...forge.header, alg })}.${part(forge.claims(session))}.`;
      expectProblem(await me(unsigned), INVALID_TOKEN);
      expectProblem(await me(`${unsigned}${session.accessToken.split('.')[2] ?? ''}`), INVALID_TOKEN);
    });

    it('HS256 with the public key as the secret (algorithm confusion)', async () => {
      const forge = await createForge(service);
      const { body } = await service.http.get('/.well-known/jwks.json');
      const jwk = body.keys[0] as JWK;
      const pem = await exportSPKI((await importJWK(jwk, 'ES256')) as never);
      for (const secret of [pem, pem.trim(), JSON.stringify(jwk), jwk.x ?? '', `${jwk.x ?? ''}${jwk.y ?? ''}`]) {
        const token = await new SignJWT(forge.claims(session))
          .setProtectedHeader({ ...forge.header, alg: 'HS256' })
          .sign(Buffer.from(secret));
        expectProblem(await me(token), INVALID_TOKEN);
      }
    });

    it('a key of the attacker, under our id or in the header', async () => {
      const forge = await createForge(service);
      const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
      const jwk = { ...(await crypto.subtle.exportKey('jwk', publicKey)), alg: 'ES256' } as JWK;
      for (const more of [{}, { jwk }, { jku: 'http://127.0.0.1:9/jwks.json' }, { x5u: 'http://127.0.0.1:9/x' }]) {
        const token = await new SignJWT(forge.claims(session))
          .setProtectedHeader({ ...forge.header, ...more })
          .sign(privateKey);
        expectProblem(await me(token), INVALID_TOKEN);
      }
    });

    it('claims or signature that were changed', async () => {
      const [header = '', payload = '', signature = ''] = session.accessToken.split('.');
      const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;
      const bytes = Buffer.from(signature, 'base64url');
      const flipped = Buffer.from(bytes);
      flipped[5] = (flipped[5] ?? 0) ^ 1;
      const tokens = [
        `${header}.${part({ ...claims, roles: ['ADMIN'] })}.${signature}`,
        `${header}.${part({ ...claims, exp: 4_102_444_800 })}.${signature}`,
        `${header}.${payload}.${flipped.toString('base64url')}`,
        // CVE-2022-21449: r and s of zero.
        `${header}.${payload}.${Buffer.alloc(64).toString('base64url')}`,
        `${header}.${payload}.${bytes.subarray(0, 63).toString('base64url')}`,
        `${header}.${payload}.`,
      ];
      for (const token of tokens) expectProblem(await me(token), INVALID_TOKEN);
      expect((await me(session.accessToken)).status).toBe(200);
    });
  });

  it('is answered in Amharic to whoever asks for it', async () => {
    const post = (path: string, body: unknown, accept = 'am-ET,am;q=0.9,en;q=0.5') =>
      service.http.post(path, body, { headers: { 'accept-language': accept } });
    const good = newPerson();
    const cases: [string, Answer][] = [
      ['malformed_json', await post('/v1/auth/login', '{')],
      ['validation_failed', await post('/v1/auth/register', { email: 1, extra: 1, locale: 'fr', firstName: '' })],
      ['validation_failed', await post('/v1/auth/register', { ...good, password: 'password123', faydaId: '1' })],
      ['validation_failed', await post('/v1/auth/register', { ...good, password: 'password123' })],
      ['validation_failed', await post('/v1/auth/register', { ...good, password: 'aaaaaaaaaaaaa' })],
      ['validation_failed', await post('/v1/auth/register', { ...good, password: good.email })],
      ['payload_too_large', await post('/v1/auth/login', 'x'.repeat(70_000))],
      ['not_found', await post('/v1/nothing', {})],
      ['method_not_allowed', await service.http.get('/v1/auth/login', { headers: { 'accept-language': 'am' } })],
      ['invalid_token', await service.http.get('/v1/users/me', { headers: { 'accept-language': 'am' } })],
      ['invalid_credentials', await post('/v1/auth/login', { email: good.email, password: 'some password' })],
      ['invalid_refresh_token', await post('/v1/auth/refresh', { refreshToken: 'A'.repeat(43) })],
      ['registration_not_found', await post(`/v1/auth/register/${NOBODYS_ID}/verify`, { code: '123456' })],
    ];
    for (const [code, answer] of cases) {
      expectProblem(answer, { status: answer.status, code });
      expect(answer.headers.get('content-language')).toBe('am');
      expect(answer.body.detail).toMatch(ETHIOPIC);
      for (const { message } of (answer.body.errors ?? []) as { message: string }[]) expect(message).toMatch(ETHIOPIC);
    }
    const english = await post('/v1/auth/login', '{', 'fr, en;q=0.5');
    expect(english.body.detail).not.toMatch(ETHIOPIC);
  });

  describe('of people', () => {
    /** Registers nobody: the answer tells which fields are wrong. */
    const wrongFields = async (change: Record<string, unknown>): Promise<string[]> => {
      const answer = await service.http.post('/v1/auth/register', { ...newPerson(), ...change });
      expectProblem(answer, VALIDATION_FAILED);
      return complaints(answer);
    };

    it.each([
      '+251111234567',
      '0111234567',
      '0811223344',
      '091122334',
      '09112233445',
      '+2519112345678',
      'call +251911234567 now',
      '+251911234567 ext. 5',
      '+251911234567;ext=5',
      'tel:+251911234567',
      '0911-FLOWER',
      '+999123456789',
      '++251911223344',
      '+1',
      '',
      ' ',
    ])('phone number %p is refused', async (phone) => {
      expect(await wrongFields({ phone })).toEqual(['/phone']);
    });

    it.each([
      '12345678901',
      '1234567890123',
      '123456789012345',
      '12345678901234567',
      '12345678901a',
      '١٢٣٤٥٦٧٨٩٠١٢',
      '1234.5678.9012',
      '+123456789012',
      '1e11',
      '',
    ])('Fayda ID %p is refused', async (faydaId) => {
      expect(await wrongFields({ faydaId })).toEqual(['/faydaId']);
    });

    it.each([
      'abebe',
      'abebe@',
      '@example.et',
      'abebe@localhost',
      'abebe@@example.et',
      'abebe@example..et',
      'abebe@-example.et',
      '.abebe@example.et',
      'a b@example.et',
      '"a b"@example.et',
      'abebe@example.et,kebede@example.et',
      'Abebe <abebe@example.et>',
      'abebe@[127.0.0.1]',
      // Lower case would make an ASCII k of the Kelvin sign, and so somebody else's address.
      '\u212aebede@example.et',
      'abebe@example.et\u200b',
      `${'a'.repeat(65)}@example.et`,
      `abebe@${'a.'.repeat(130)}et`,
    ])('e-mail address %p is refused', async (email) => {
      expect(await wrongFields({ email })).toEqual(['/email']);
    });

    it.each([
      ['7 characters', 'aB3$xyz'],
      ['7 characters outside the BMP', '😀🦁🌍🎉🐘🌺🦒'],
      ['8 code points that are 4 characters', 'e\u0301a\u0301o\u0301u\u0301'],
      ['129 characters', 'correct horse battery '.repeat(6).slice(0, 129).padEnd(129, 'z')],
      ['a common one', 'password123'],
      ['a common one in other letters', 'PassWord123'],
      ['a common one with separators', 'pass-word-123'],
      ['one character again and again', '🦁🦁🦁🦁🦁🦁🦁🦁🦁🦁'],
      ['a control character', 'a good secret\u0007 indeed'],
      ['a lone surrogate', 'a good secret\ud800 indeed'],
    ])('password of %s is refused', async (_name, password) => {
      expect(await wrongFields({ password })).toEqual(['/password']);
    });

    it.each([
      ['e-mail address', 'tsehay.bekele@example.et'],
      ['e-mail address without its signs', 'TsehayBekele12'],
      ['phone number', '0911234987'],
      ['Fayda ID', '614079823471'],
      ['name', 'Gebremariam1'],
      ['service', 'Meqenet-123'],
    ])("password made of the person's %s is refused", async (_what, password) => {
      const own = {
        email: 'tsehay.bekele@example.et',
        phone: '+251911234987',
        faydaId: '6140 7982 3471',
        firstName: 'Tsehay',
        lastName: 'Gebremariam',
      };
      expect(await wrongFields({ ...own, password })).toEqual(['/password']);
    });
  });

  it('has written nothing and started nothing, all of it together', async () => {
    expect(await databaseFootprint(service)).toEqual(before.database);
    expect(await countWorkflows(service)).toBe(before.workflows);
  });

  it('whatever it is, is never a fault of the service (property)', async () => {
    const names = new Set(withBodies().flatMap(({ schema }) => Object.keys(schema.properties)));
    const examples = withBodies().flatMap(({ schema }) => Object.values(exampleBody(schema)));
    const anyValue = fc.oneof(
      fc.jsonValue({ maxDepth: 3 }),
      fc.string({ unit: 'binary' }),
      fc.string(),
      fc.constantFrom(...(examples as string[]), '\u0000', '\ud800', '', '000000', 'A'.repeat(43)),
    );
    const key = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...names) }, { weight: 1, arbitrary: fc.string() });
    const anyBody = fc.oneof(
      { weight: 5, arbitrary: fc.dictionary(key, anyValue, { maxKeys: 6 }).map((body) => JSON.stringify(body)) },
      { weight: 2, arbitrary: fc.json() },
      { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...withBody()), anyBody, async (operation, body) => {
        const answer = await send(operation, body);
        expect(answer.status).toBeLessThan(500);
        if (answer.status >= 400) expectProblem(answer, { status: answer.status, code: answer.body.code as string });
      }),
      { numRuns: 400, interruptAfterTimeLimit: 20_000 },
    );
  });
});

describe('good input', () => {
  const profileOf = async (somebody: Person): Promise<Record<string, unknown>> => {
    const { status, body } = await signUp(service, somebody);
    expect(status).toBe(201);
    return body.user as Record<string, unknown>;
  };

  it.each([
    ['0911 22 33 01', '+251911223301'],
    ['0911-22-33-02', '+251911223302'],
    ['(0911) 22 33 03', '+251911223303'],
    ['911223304', '+251911223304'],
    ['251911223305', '+251911223305'],
    ['00251911223306', '+251911223306'],
    ['+251 0911 22 33 07', '+251911223307'],
    ['0711223308', '+251711223308'],
    ['٠٩١١٢٢٣٣٠٩', '+251911223309'],
    ['+1 415 555 2671', '+14155552671'],
  ])('phone number %p is stored as %p', async (phone, stored) => {
    expect(await profileOf(newPerson({ phone }))).toMatchObject({ phone: stored });
  });

  it('an id in upper case is the same id', async () => {
    const somebody = newPerson();
    const { registrationId } = (await register(service, somebody)).body as { registrationId: string };
    const code = await mailedCode(service, somebody.email);
    const upperCase = registrationId.toUpperCase();
    expect((await service.http.get(`/v1/auth/register/${upperCase}`)).body).toMatchObject({ registrationId });
    expect((await verify(service, upperCase, code)).status).toBe(201);
  });

  it.each(['{}', '{} {}', '{}-{}-{}'])('Fayda ID in the form %p is one ID', async (form) => {
    const faydaId = newFaydaId();
    const parts = form.split(/[ -]/).length;
    const size = faydaId.length / parts;
    const separator = form.includes('-') ? '-' : ' ';
    const written = Array.from({ length: parts }, (_, index) => faydaId.slice(index * size, (index + 1) * size));
    const user = await profileOf(newPerson({ faydaId: written.join(separator) }));
    expect(user).toMatchObject({ faydaId: `********${faydaId.slice(-4)}` });
  });

  it('a Fayda ID of 16 digits', async () => {
    expect(await profileOf(newPerson({ faydaId: '6140 7982 3471 9082' }))).toMatchObject({
      faydaId: '************9082',
    });
  });

  it('names are trimmed and in NFC', async () => {
    const user = await profileOf(newPerson({ firstName: '  Jose\u0301 ', lastName: "O'Neill-ገብረማርያም" }));
    expect(user).toMatchObject({ firstName: 'Jos\u00e9', lastName: "O'Neill-ገብረማርያም" });
  });

  it.each([
    ['8 code points outside the BMP', '😀🦁🌍🎉🐘🌺🦒🌈'],
    ['128 code points outside the BMP', '😀🦁🌍🎉🐘🌺🦒🌈'.repeat(16)],
    ['Amharic', 'ሰላም ለዓለም ሁሉ'],
    ['blanks at its ends', '  two blanks each  '],
    ['NFC form', 'cafe\u0301 cre\u0300me bru\u0302le\u0301e'.normalize('NFC')],
  ])('password of %s works as it was given', async (_name, password) => {
    const somebody = newPerson({ password });
    await profileOf(somebody);
    expect((await logIn(service, somebody)).status).toBe(200);
    expect((await logIn(service, { ...somebody, password: `${password} ` })).status).toBe(401);
  });

  it('a password registered in one Unicode form logs in with the other', async () => {
    const composed = 'cr\u00e8me br\u00fbl\u00e9e \u1e69';
    const decomposed = composed.normalize('NFD');
    expect(decomposed).not.toBe(composed);
    const [first, second] = [newPerson({ password: decomposed }), newPerson({ password: composed })];
    await profileOf(first);
    await profileOf(second);
    expect((await logIn(service, { ...first, password: composed })).status).toBe(200);
    expect((await logIn(service, { ...second, password: decomposed })).status).toBe(200);
  });
});
