import { createDecipheriv, hkdfSync } from 'node:crypto';

import { temporal } from '@temporalio/proto';
import Redis from 'ioredis';

import type { DATA_KEY_PURPOSES } from '../../src/contracts/keys';
import { createPayloadCodec } from '../../src/temporal/payload-codec';

import { databaseText } from './footprint';
import { withProtection } from './protection';
import type { TestService } from './service';
import { withTemporal } from './temporal';

/** All keys that there are: of data by id, and the secrets of persons, with none among them. */
interface AllKeys {
  readonly dataKeys: ReadonlyMap<string, Buffer>;
  readonly secrets: readonly (Buffer | undefined)[];
}

const findKeys = async ({ stack, database }: TestService): Promise<AllKeys> => {
  const { rows } = await database.query<{ id: string; purpose: string }>('SELECT id, purpose FROM data_keys');
  const persons = await database.query<{ secret: Buffer }>('SELECT secret FROM person_keys WHERE secret IS NOT NULL');
  return withProtection(stack, async ({ dataKeys }) => {
    const found = await Promise.all(
      rows.map(async ({ id, purpose }) => {
        const key = await dataKeys.find(purpose as (typeof DATA_KEY_PURPOSES)[number], id);
        return key === undefined ? [] : [[id, key] as const];
      }),
    );
    return { dataKeys: new Map(found.flat()), secrets: [undefined, ...persons.rows.map(({ secret }) => secret)] };
  });
};

const VALUE = /v2:([a-z0-9-]{1,32}):([A-Za-z0-9_-]{38,})/g;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * What a value holds under one key, whether or not its place is known: who wants to read does not check the tag. GCM is counter mode
 * from the second block on (NIST SP 800-38D, section 7.2).
 */
const peel = (key: Buffer, sealed: Buffer): string => {
  const counter = Buffer.concat([sealed.subarray(0, NONCE_BYTES), Buffer.from([0, 0, 0, 2])]);
  const decipher = createDecipheriv('aes-256-ctr', key, counter);
  return decipher.update(sealed.subarray(NONCE_BYTES, sealed.length - TAG_BYTES)).toString('utf8');
};

/** Every encrypted value of a text, under every key that could have made it. */
const decryptAll = (text: string, { dataKeys, secrets }: AllKeys): string => {
  const values = new Map([...text.matchAll(VALUE)].map((match) => [match[0], match]));
  const texts: string[] = [];
  for (const [, keyId = '', encoded = ''] of values.values()) {
    const dataKey = dataKeys.get(keyId);
    if (dataKey === undefined) continue;
    for (const secret of secrets) {
      const key =
        secret === undefined ? dataKey : Buffer.from(hkdfSync('sha256', dataKey, secret, 'meqenet-auth/person', 32));
      texts.push(peel(key, Buffer.from(encoded, 'base64url')));
    }
  }
  return texts.join('\n');
};

const redisText = async ({ stack }: TestService): Promise<string> => {
  const redis = new Redis({ host: stack.env['REDIS_HOST'] ?? '', port: Number(stack.env['REDIS_PORT']) });
  try {
    const keys = await redis.keys('*');
    const read = async (key: string): Promise<string> => {
      const hash = (await redis.type(key)) === 'hash' ? JSON.stringify(await redis.hgetall(key)) : '';
      return `${key} ${(await redis.dumpBuffer(key)).toString('latin1')} ${hash}`;
    };
    return (await Promise.all(keys.map(read))).join('\n');
  } finally {
    redis.disconnect();
  }
};

const isPayload = (value: object): value is temporal.api.common.v1.IPayload => 'metadata' in value && 'data' in value;

/** Every payload in a message of Temporal, however deep. */
const payloadsIn = (value: unknown): temporal.api.common.v1.IPayload[] => {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return [];
  if (isPayload(value)) return [value];
  return Object.values(value).flatMap(payloadsIn);
};

/** Histories and visibility as they lie there, and what every payload says to whoever has the keys. */
const temporalText = (service: TestService): Promise<string> =>
  withTemporal(service, (client) =>
    withProtection(service.stack, async ({ dataKeys }) => {
      const codec = createPayloadCodec(dataKeys);
      const texts: string[] = [];
      for await (const { workflowId, runId, raw } of client.workflow.list()) {
        const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
        texts.push(Buffer.from(temporal.api.history.v1.History.encode(history).finish()).toString('latin1'));
        texts.push(Buffer.from(temporal.api.workflow.v1.WorkflowExecutionInfo.encode(raw).finish()).toString('latin1'));
        const decoded = await codec.decode(payloadsIn(history));
        texts.push(...decoded.map(({ data }) => Buffer.from(data ?? []).toString('utf8')));
      }
      return texts.join('\n');
    }),
  );

/**
 * Everything that can be read of the service by whoever has all of its data and all of its keys, by where it stands: first as it lies
 * there, then with every encrypted value opened.
 */
export const everythingReadable = async (service: TestService): Promise<Readonly<Record<string, string>>> => {
  const keys = await findKeys(service);
  const [database, redis, histories] = await Promise.all([
    databaseText(service),
    redisText(service),
    temporalText(service),
  ]);
  const open = (text: string): string => `${text}\n${decryptAll(text, keys)}`;
  return { database: open(database), redis: open(redis), temporal: open(histories) };
};
