import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:net';
import { once } from 'node:events';

import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { RootKeyError } from '../../src/contracts/keys';
import { createKmsRootKey } from '../../src/keys/kms-root-key';
import { createRootKey } from '../../src/keys/root-key';
import { createMoto, type Moto } from '../support/moto';

const CONTEXT = { id: 'fields-20261126-5f0c2a9b', purpose: 'fields' };
const KEY = randomBytes(32);

/** Why it was refused, and what is said of it. */
const refusal = async (work: Promise<unknown>): Promise<RootKeyError> => {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(RootKeyError);
  return error as RootKeyError;
};

describe('a root key in AWS KMS', () => {
  let moto: Moto;
  let kms: KMSClient;
  const arns: string[] = [];
  const before = { ...process.env };

  const newArn = async (): Promise<string> => {
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
    return KeyMetadata?.Arn ?? '';
  };
  const rootKey = (...keyArns: string[]) => createKmsRootKey({ keyArns, endpoint: moto.endpoint });

  beforeAll(async () => {
    moto = await createMoto();
    await moto.start();
    Object.assign(process.env, moto.env);
    kms = new KMSClient(moto.client);
    arns.push(await newArn(), await newArn());
  }, 30_000);
  afterAll(async () => {
    process.env = before;
    await moto.remove();
  });

  it('wraps and unwraps, and names itself', async () => {
    const [arn = ''] = arns;
    const wrapped = await rootKey(arn).wrap(KEY, CONTEXT);
    expect(wrapped).toMatch(new RegExp(`^kms:${arn}:[A-Za-z0-9+/]+=*$`));
    expect(wrapped).not.toContain(KEY.toString('base64'));
    expect(await rootKey(arn).unwrap(wrapped, CONTEXT)).toEqual(KEY);
  });

  it('that was replaced still unwraps, and is no longer the current one', async () => {
    const [old = '', current = ''] = arns;
    const wrapped = await rootKey(old).wrap(KEY, CONTEXT);
    const both = rootKey(current, old);
    expect(both.isCurrent(wrapped)).toBe(false);
    expect(await both.unwrap(wrapped, CONTEXT)).toEqual(KEY);
    const anew = await both.wrap(KEY, CONTEXT);
    expect(both.isCurrent(anew)).toBe(true);
    expect(await rootKey(current).unwrap(anew, CONTEXT)).toEqual(KEY);
  });

  it('refuses another id, another purpose and an altered text', async () => {
    const [arn = ''] = arns;
    const root = rootKey(arn);
    const wrapped = await root.wrap(KEY, CONTEXT);
    for (const context of [
      { ...CONTEXT, id: 'other' },
      { ...CONTEXT, purpose: 'codec' },
    ]) {
      expect((await refusal(root.unwrap(wrapped, context))).reason).toBe('not_authentic');
    }
    const bytes = Buffer.from(wrapped.slice(`kms:${arn}:`.length), 'base64');
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    expect((await refusal(root.unwrap(`kms:${arn}:${bytes.toString('base64')}`, CONTEXT))).reason).toBe(
      'not_authentic',
    );
    expect((await refusal(root.unwrap('kms:of:no:form', CONTEXT))).reason).toBe('malformed');
  });

  it('asks for no key that the configuration does not name, and says so', async () => {
    const [ours = '', theirs = ''] = arns;
    const wrapped = await rootKey(theirs).wrap(KEY, CONTEXT);
    const { reason, message } = await refusal(rootKey(ours).unwrap(wrapped, CONTEXT));
    expect(reason).toBe('unknown_root_key');
    expect(message).toContain(`${theirs}, which ROOT_KMS_KEY_ID lacks`);
  });

  it('that is gone is no reason to wait', async () => {
    const gone = (arns[0] ?? '').replace(/[0-9a-f]{12}$/, '000000000000');
    expect((await refusal(rootKey(gone).wrap(KEY, CONTEXT))).reason).toBe('unknown_root_key');
  });

  it('takes turns with a local one: whichever wrapped a key unwraps it', async () => {
    const local = { activeKeyId: 'r1', keys: new Map([['r1', randomBytes(32)]]) };
    const kmsConfig = { keyArns: arns, endpoint: moto.endpoint };
    const before = createRootKey({ provider: 'local', local, kms: { keyArns: [], endpoint: undefined } });
    const wrapped = await before.wrap(KEY, CONTEXT);
    const after = createRootKey({ provider: 'aws-kms', local, kms: kmsConfig });
    expect(after.isCurrent(wrapped)).toBe(false);
    expect(await after.unwrap(wrapped, CONTEXT)).toEqual(KEY);
    expect(after.isCurrent(await after.wrap(KEY, CONTEXT))).toBe(true);
    const withoutLocal = createRootKey({ provider: 'aws-kms', local: undefined, kms: kmsConfig });
    expect((await refusal(withoutLocal.unwrap(wrapped, CONTEXT))).message).toMatch(/ROOT_KEYS is not set/);
    expect((await refusal(after.unwrap('__proto__:x', CONTEXT))).reason).toBe('malformed');
  });

  it('that does not answer, at once or at all, is unavailable', async () => {
    const [arn = ''] = arns;
    const away = createKmsRootKey({ keyArns: [arn], endpoint: 'http://127.0.0.1:1' });
    expect((await refusal(away.wrap(KEY, CONTEXT))).reason).toBe('unavailable');
    const server: Server = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const silent = createKmsRootKey({ keyArns: [arn], endpoint: `http://127.0.0.1:${String(port)}` });
    const begin = performance.now();
    expect((await refusal(silent.wrap(KEY, CONTEXT))).reason).toBe('unavailable');
    expect(performance.now() - begin).toBeLessThan(12_000);
    server.close();
  }, 20_000);
});
