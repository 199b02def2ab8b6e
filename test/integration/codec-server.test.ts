import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { createCodecServer } from '../../src/temporal/codec-server';
import { createPayloadCodec } from '../../src/temporal/payload-codec';
import { staticDataKeys } from '../support/static-keys';

const UI = 'http://localhost:8233';
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const keyRing = (id: string) => staticDataKeys({ [id]: randomBytes(32) });

interface JsonPayload {
  readonly metadata: Record<string, string>;
  readonly data: string;
}

let server: Server;
let url: string;

beforeAll(async () => {
  const app = createCodecServer(createPayloadCodec(keyRing('k1')), [UI, 'http://127.0.0.1:8233']);
  server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

const post = (path: string, body: string, headers: Record<string, string> = {}) =>
  fetch(`${url}${path}`, {
    method: 'POST',
    headers: { origin: UI, 'content-type': 'application/json', 'x-namespace': 'default', ...headers },
    body,
  });
const payloadsOf = async (response: Response): Promise<JsonPayload[]> =>
  ((await response.json()) as { payloads: JsonPayload[] }).payloads;
/** As the Temporal UI sends them: protobuf JSON, bytes in base64. */
const clear = ['"Abebe"', '{"email":"abebe@example.et"}'].map((data) => ({
  metadata: { encoding: base64('json/plain') },
  data: base64(data),
}));

describe('the codec server', () => {
  it('encodes and decodes what the Temporal UI sends', async () => {
    const encoded = await payloadsOf(await post('/encode', JSON.stringify({ payloads: clear })));
    expect(encoded).toHaveLength(2);
    for (const { metadata, data } of encoded) {
      expect(metadata['encoding']).toBe(base64('binary/encrypted'));
      expect(metadata['encryption-key-id']).toBe(base64('k1'));
      expect(Buffer.from(data, 'base64').toString('latin1')).not.toMatch(/abebe/i);
    }
    const response = await post('/decode', JSON.stringify({ payloads: encoded }));
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await payloadsOf(response)).toEqual(clear);
    // What was never encrypted passes as it is.
    expect(await payloadsOf(await post('/decode', JSON.stringify({ payloads: clear })))).toEqual(clear);
    expect(await payloadsOf(await post('/decode', '{"payloads":[]}'))).toEqual([]);
  });

  it('answers the preflight of the Temporal UI, and of nobody else', async () => {
    const preflight = (origin: string) =>
      fetch(`${url}/decode`, {
        method: 'OPTIONS',
        headers: {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'content-type,x-namespace,authorization',
        },
      });
    const answer = await preflight(UI);
    expect(answer.status).toBe(204);
    expect(answer.headers.get('access-control-allow-origin')).toBe(UI);
    expect(answer.headers.get('access-control-allow-credentials')).toBe('true');
    expect(answer.headers.get('access-control-allow-methods')).toContain('POST');
    for (const header of ['content-type', 'x-namespace', 'authorization'])
      expect(answer.headers.get('access-control-allow-headers')).toContain(header);
    expect(answer.headers.get('vary')).toMatch(/origin/i);

    const foreign = await preflight('https://evil.example');
    expect(foreign.status).toBe(403);
    expect(foreign.headers.get('access-control-allow-origin')).toBeNull();
  });

  it.each([
    'https://evil.example',
    'http://localhost:8233.evil.example',
    'http://localhost:82330',
    'null',
    'HTTP://LOCALHOST:8233',
    '',
  ])('gives nothing to a page of %p', async (origin) => {
    const encoded = await (await post('/encode', JSON.stringify({ payloads: clear }))).text();
    for (const path of ['/decode', '/encode', '/nowhere']) {
      const response = await post(path, encoded, { origin });
      expect(response.status).toBe(403);
      expect(response.headers.get('access-control-allow-origin')).toBeNull();
      expect(await response.text()).not.toContain(base64('json/plain'));
    }
  });

  it('lets its allowed pages read the answer', async () => {
    const response = await post('/decode', '{"payloads":[]}', { origin: 'http://127.0.0.1:8233' });
    expect(response.status).toBe(200);
    expect(response.headers.get('access-control-allow-origin')).toBe('http://127.0.0.1:8233');
  });

  it.each([
    ['no JSON', '{'],
    ['nothing', ''],
    ['no object', '[]'],
    ['no payloads', '{}'],
    ['payloads that are no list', '{"payloads":{}}'],
    ['data that is no base64', '{"payloads":[{"data":"***"}]}'],
    ['data that is no text', '{"payloads":[{"data":1}]}'],
    ['metadata that is no base64', '{"payloads":[{"metadata":{"encoding":"*"}}]}'],
    ['more than it takes', JSON.stringify({ payloads: [{ data: 'A'.repeat(11 * 1_048_576) }] })],
  ])('refuses %s', async (_name, body) => {
    for (const path of ['/decode', '/encode']) expect((await post(path, body)).status).toBe(400);
  });

  it('cannot decode with a foreign key, a moved key id, or what was changed, and says nothing of it', async () => {
    const foreign = await createPayloadCodec(keyRing('k2')).encode([{ metadata: {}, data: Buffer.from('secret') }]);
    const foreignUnderOurId = await createPayloadCodec(keyRing('k1')).encode([
      { metadata: {}, data: Buffer.from('secret') },
    ]);
    const toJson = (payloads: readonly { metadata?: unknown; data?: unknown }[]) =>
      payloads.map(({ metadata, data }) => ({
        metadata: Object.fromEntries(
          Object.entries((metadata ?? {}) as Record<string, Uint8Array>).map(([name, value]) => [
            name,
            Buffer.from(value).toString('base64'),
          ]),
        ),
        data: Buffer.from(data as Uint8Array).toString('base64'),
      }));
    const [own] = await payloadsOf(await post('/encode', JSON.stringify({ payloads: clear.slice(0, 1) })));
    const bytes = Buffer.from(own?.data ?? '', 'base64');
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    const changed = [{ ...own, data: bytes.toString('base64') }];
    const cut = [{ ...own, data: bytes.subarray(0, 10).toString('base64') }];
    for (const payloads of [toJson(foreign), toJson(foreignUnderOurId), changed, cut]) {
      const response = await post('/decode', JSON.stringify({ payloads }));
      expect(response.status).toBe(422);
      expect(await response.text()).toBe('A payload cannot be decoded with the keys at hand');
    }
  });

  it('takes nothing but POST to its two paths', async () => {
    expect((await fetch(`${url}/decode`, { headers: { origin: UI } })).status).toBe(404);
    expect((await post('/', '{}')).status).toBe(404);
    expect((await post('/decode/', '{}')).status).toBe(404);
    expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ status: 'up' });
  });
});
