import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, describe, expect, it } from '@jest/globals';

import { ConfigError, loadConfig } from './load';
import { SECTION_NAMES, SECTIONS } from './sections';

/** 32 distinct bytes, different for every seed. */
const key = (seed: number): string =>
  Buffer.from(Array.from({ length: 32 }, (_, i) => (seed + i) % 256)).toString('base64');

const REQUIRED = {
  DATABASE_URL: 'postgresql://meqenet:x8Jq2mTz@db.internal:5432/meqenet_auth',
  ROOT_KEYS: `k1:${key(1)}`,
  BLIND_INDEX_KEY: key(3),
  TOKEN_KEY: key(4),
  GATEWAY_SECRET: key(5),
};

type Environment = Readonly<Record<string, string | undefined>>;

const load = (changes: Environment = {}) => loadConfig(SECTION_NAMES, { ...REQUIRED, ...changes });

const problemsOf = (changes: Environment): readonly string[] => {
  try {
    load(changes);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
};

const folder = mkdtempSync(join(tmpdir(), 'meqenet-config-'));
const secretFile = (content: string): string => {
  const file = join(mkdtempSync(join(folder, 'secret-')), 'value');
  writeFileSync(file, content);
  return file;
};

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('the configuration', () => {
  it('has the defaults of the guide', () => {
    const config = load();
    expect(config.redis.connection).toEqual({ host: 'localhost', port: 6379, db: 0 });
    expect(config.queue).toMatchObject({ prefix: 'meqenet:auth', userRegisteredJob: 'user:registered' });
    expect(config.pino.serviceName).toBe('meqenet-auth-service');
    expect(config.app.port).toBe(3001);
    expect(config.tokens.jwt).toEqual({
      issuer: 'meqenet.et',
      audience: 'meqenet-api',
      expiresInMs: 15 * 60 * 1_000,
    });
  });

  it('reads every section', () => {
    const config = load({
      AUTH_SERVICE_PORT: '8080',
      PUBLIC_URL: 'https://auth.meqenet.et/',
      DATABASE_POOL_SIZE: '25',
      REDIS_HOST: 'redis.internal',
      REDIS_PASSWORD: 'r3d1s',
      SMTP_SECURE: 'true',
      SMTP_USERNAME: 'mailer',
      TEMPORAL_ADDRESS: 'temporal.internal:7233',
      WORKFLOW_BUNDLE: '/app/workflows.js',
      LOG_LEVEL: 'warn',
    });
    expect(config).toMatchObject({
      app: { port: 8080, publicUrl: 'https://auth.meqenet.et' },
      database: { poolSize: 25, url: REQUIRED.DATABASE_URL },
      redis: { connection: { host: 'redis.internal', password: 'r3d1s' } },
      mail: { secure: true, username: 'mailer' },
      temporal: { address: 'temporal.internal:7233', worker: { workflowBundle: '/app/workflows.js' } },
      pino: { level: 'warn' },
    });
  });

  it('takes an empty variable as not set', () => {
    expect(load({ REDIS_HOST: '', AUTH_SERVICE_PORT: '', SMTP_PASSWORD: '', NODE_ENV: '' })).toEqual(load());
    expect(problemsOf({ TOKEN_KEY: '' })).toEqual(['TOKEN_KEY: is required and not set']);
  });

  it('ignores what it does not know', () => {
    expect(load({ PATH: '/usr/bin', HOST_FILE: '/nowhere' })).toEqual(load());
  });

  it('names no variable in two sections', () => {
    const names = Object.values(SECTIONS).flatMap(({ env }) => Object.keys(env.shape));
    expect(new Set(names).size).toBe(names.length);
  });
});

describe('problems of the configuration', () => {
  it('are reported all at once, by name', () => {
    const problems = problemsOf({
      DATABASE_URL: undefined,
      AUTH_SERVICE_PORT: 'http',
      JWT_EXPIRES_IN: 'soon',
      TOKEN_KEY: 'short',
      SMTP_PASSWORD_FILE: join(folder, 'nowhere'),
    });
    expect(problems.map((line) => line.slice(0, line.indexOf(':'))).sort()).toEqual([
      'AUTH_SERVICE_PORT',
      'DATABASE_URL',
      'JWT_EXPIRES_IN',
      'SMTP_PASSWORD_FILE',
      'TOKEN_KEY',
    ]);
  });

  it('name every required variable when nothing is set', () => {
    expect(() => loadConfig(SECTION_NAMES, {})).toThrow(ConfigError);
    const nothing = Object.fromEntries(Object.keys(REQUIRED).map((name) => [name, undefined]));
    expect([...problemsOf(nothing)].sort()).toEqual(
      Object.keys(REQUIRED)
        .map((name) => `${name}: is required and not set`)
        .sort(),
    );
  });

  const MARKER = 'p4ssw0rd-that-must-not-be-shown';
  const names = Object.values(SECTIONS).flatMap(({ env }) => Object.keys(env.shape));
  it.each(names)('of %s never show its value', (name) => {
    for (const value of [MARKER, `${MARKER}:${MARKER}`, `k1:${MARKER},${MARKER}`, `ftp://${MARKER}@x/`]) {
      expect(
        problemsOf({ [name]: value, NODE_ENV: name === 'NODE_ENV' ? value : 'production' }).join('\n'),
      ).not.toContain(MARKER);
    }
  });

  it.each([
    ['NODE_ENV', 'staging'],
    ['AUTH_SERVICE_PORT', '0'],
    ['AUTH_SERVICE_PORT', '65536'],
    ['AUTH_SERVICE_PORT', '80.5'],
    ['AUTH_SERVICE_PORT', '0x50'],
    ['AUTH_SERVICE_PORT', '1e3'],
    ['AUTH_SERVICE_PORT', ' '],
    ['AUTH_SERVICE_PORT', '-1'],
    ['PUBLIC_URL', 'auth.meqenet.et'],
    ['PUBLIC_URL', 'ftp://auth.meqenet.et'],
    ['CORS_ORIGINS', '*'],
    ['CORS_ORIGINS', 'https://app.example/path'],
    ['MAX_BODY_BYTES', '64KiB'],
    ['MAX_BODY_BYTES', '1'],
    ['DATABASE_URL', 'mysql://meqenet:x8Jq2mTz@localhost/meqenet'],
    ['DATABASE_URL', 'not a url'],
    ['DATABASE_POOL_SIZE', 'ten'],
    ['REDIS_DB', '16'],
    ['SMTP_SECURE', 'yes'],
    ['LOG_LEVEL', 'verbose'],
    ['TEMPORAL_ADDRESS', 'localhost'],
    ['ARGON2_MEMORY_KIB', '1024'],
  ])('%s=%s is refused', (name, value) => {
    expect(problemsOf({ [name]: value })).toEqual([expect.stringMatching(new RegExp(`^${name}: must `))]);
  });
});

describe('durations', () => {
  it.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['15m', 900_000],
    ['24h', 86_400_000],
    ['7d', 604_800_000],
  ])('%s is %d milliseconds', (value, milliseconds) => {
    expect(load({ REGISTRATION_EXPIRES_IN: value }).security.registrationExpiresInMs).toBe(milliseconds);
  });

  it.each(['15', '15 m', '15 minutes', '-1s', '1.5h', '0s', '3651d', '99999999999999999999d', 'm'])(
    '%s is refused',
    (value) => {
      expect(problemsOf({ REGISTRATION_EXPIRES_IN: value })).toHaveLength(1);
    },
  );
});

describe('lists', () => {
  it('drop blanks', () => {
    expect(load({ WORKER_TASK_QUEUES: ' registration, ,email,' }).temporal.worker.taskQueues).toEqual([
      'registration',
      'email',
    ]);
    expect(load().temporal.worker.taskQueues).toEqual([]);
  });

  it('of origins keep several', () => {
    expect(load({ CORS_ORIGINS: 'https://app.example, http://localhost:5173' }).app.corsOrigins).toEqual([
      'https://app.example',
      'http://localhost:5173',
    ]);
  });
});

describe('secrets in files', () => {
  it('are read from NAME_FILE, without the line break at the end', () => {
    const config = load({
      TOKEN_KEY: undefined,
      TOKEN_KEY_FILE: secretFile(`${key(9)}\n`),
      SMTP_PASSWORD_FILE: secretFile(' a b \r\n'),
    });
    expect(config.security.tokenKey.toString('base64')).toBe(key(9));
    expect(config.mail).toHaveProperty('password', ' a b ');
  });

  it('may not be given in both ways', () => {
    expect(problemsOf({ TOKEN_KEY_FILE: secretFile(key(9)) })).toEqual([
      'TOKEN_KEY: set one of TOKEN_KEY, TOKEN_KEY_FILE and the secret of its provider, not several',
    ]);
  });

  it('that cannot be read are one problem, not two', () => {
    expect(problemsOf({ TOKEN_KEY: '', TOKEN_KEY_FILE: join(folder, 'nowhere') })).toEqual([
      'TOKEN_KEY_FILE: cannot be read (ENOENT)',
    ]);
    expect(problemsOf({ TOKEN_KEY: '', TOKEN_KEY_FILE: folder })).toEqual(['TOKEN_KEY_FILE: cannot be read (EISDIR)']);
  });

  it('that are empty are a problem', () => {
    expect(problemsOf({ SMTP_PASSWORD_FILE: secretFile('\n') })).toEqual(['SMTP_PASSWORD_FILE: the file is empty']);
  });

  it('are checked as variables are', () => {
    expect(problemsOf({ TOKEN_KEY: undefined, TOKEN_KEY_FILE: secretFile('short') })).toEqual([
      'TOKEN_KEY: must be 32 bytes in base64 (openssl rand -base64 32)',
    ]);
  });
});

describe('keys', () => {
  it.each([
    ['too short', Buffer.alloc(31, 7).toString('base64')],
    ['too long', Buffer.alloc(33, 7).toString('base64')],
    ['hexadecimal', Buffer.from(key(1), 'base64').toString('hex')],
    ['base64url', Buffer.alloc(32, 0xfb).toString('base64url')],
    ['one byte repeated', Buffer.alloc(32, 0x41).toString('base64')],
    ['a repeated word', Buffer.from('change-me-change-me-change-me-ch').toString('base64')],
  ])('that are %s are refused', (_, value) => {
    expect(problemsOf({ BLIND_INDEX_KEY: value })).toHaveLength(1);
    expect(problemsOf({ ROOT_KEYS: `k1:${value}` })).toHaveLength(1);
  });
});

describe('key rings', () => {
  it('encrypt with the first key and keep the others', () => {
    const { local: rootKeys } = load({ ROOT_KEYS: `k2:${key(20)}, k1:${key(1)}` }).keys.root;
    expect(rootKeys?.activeKeyId).toBe('k2');
    expect([...(rootKeys?.keys ?? [])].map(([id, bytes]) => [id, bytes.toString('base64')])).toEqual([
      ['k2', key(20)],
      ['k1', key(1)],
    ]);
  });

  it.each([
    ['without an id', key(1), /entry 1/],
    ['with an empty entry', `k1:${key(1)},`, /entry 2/],
    ['with an id in capitals', `K1:${key(1)}`, /entry 1/],
    ['with an id that is too long', `${'k'.repeat(33)}:${key(1)}`, /entry 1/],
    ['with an id twice', `k1:${key(1)},k1:${key(2)}`, /the id of entry 2 twice/],
    ['with a bad key further on', `k1:${key(1)},k0:short`, /entry 2 must be 32 bytes/],
  ])('%s are refused', (_, value, message) => {
    expect(problemsOf({ ROOT_KEYS: value })).toEqual([expect.stringMatching(message)]);
  });
});

describe('the times of a key rotation', () => {
  it('agree with each other, whatever the overlap', () => {
    for (const overlap of ['500ms', '2s', '3s', '90s', '15m', '24h']) {
      const { jwt, signingKeys: times } = load({ SIGNING_KEY_OVERLAP: overlap }).tokens;
      // Known to every client before its first token, and gone after its last.
      expect(times.staleAfterMs + times.jwksMaxAgeSeconds * 1_000).toBeLessThanOrEqual(times.overlapMs);
      expect(times.refreshAfterMs).toBeLessThan(times.staleAfterMs);
      expect(times.retainMs).toBeGreaterThan(jwt.expiresInMs + times.staleAfterMs);
    }
    expect(load().tokens.signingKeys).toMatchObject({ jwksMaxAgeSeconds: 300, refreshAfterMs: 60_000 });
  });

  it('are not too short to be kept', () => {
    expect(problemsOf({ SIGNING_KEY_OVERLAP: '499ms', SIGNING_KEY_ROTATION_INTERVAL: '999ms' })).toEqual([
      'SIGNING_KEY_ROTATION_INTERVAL: must be at least 1s and at most 3650d',
      'SIGNING_KEY_OVERLAP: must be at least 500ms and at most 3650d',
    ]);
  });
});
