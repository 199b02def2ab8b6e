import { beforeAll, describe, expect, it } from '@jest/globals';

import { type Authority, createAuthority, type Issued } from '../../test/support/certificates';

import { databaseEnv, databaseTlsProblems, toDatabaseConfig } from './database.config';
import { ConfigError, loadConfig } from './load';
import { plaintextProblems } from './plaintext';
import { SECTION_NAMES } from './sections';
import { forAnybody } from './tls.config';

let authority: Authority;
let server: Issued;
let other: Issued;
beforeAll(async () => {
  authority = await createAuthority();
  [server, other] = await Promise.all([authority.issue('a.test'), authority.issue('b.test')]);
});

const key = (seed: number): string =>
  Buffer.from(Array.from({ length: 32 }, (_, i) => (seed + i) % 256)).toString('base64');
const REQUIRED = {
  DATABASE_URL: 'postgresql://u:x8Jq2mTz@localhost/auth',
  ...{ ROOT_KEYS: `k1:${key(1)}`, BLIND_INDEX_KEY: key(2), TOKEN_KEY: key(3), GATEWAY_SECRET: key(4) },
};
const loadServerTls = (env: Record<string, string>) => loadConfig(SECTION_NAMES, { ...REQUIRED, ...env }).tls;

const problemsOf = (env: Record<string, string>): readonly string[] => {
  try {
    loadServerTls(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
};

describe('a certificate', () => {
  it('comes with its key, with those above it, and with line breaks of both kinds', () => {
    const chain = `${server.cert}\n${authority.cert}`;
    const pair = { SERVER_TLS_CERTIFICATE: chain, SERVER_TLS_KEY: server.key };
    expect(loadServerTls(pair)).toMatchObject({ minVersion: 'TLSv1.2', cert: chain, key: server.key });
    const inOneLine = Object.fromEntries(
      Object.entries(pair).map(([name, text]) => [name, text.replaceAll('\r', '').replaceAll('\n', '\\n')]),
    );
    expect(loadServerTls(inOneLine)?.key.replaceAll('\r', '')).toBe(server.key.replaceAll('\r', ''));
    expect(loadServerTls({})).toBeUndefined();
    const mutual = loadServerTls({ ...pair, SERVER_TLS_CLIENT_CA: authority.cert });
    expect(mutual?.clientCa).toBe(authority.cert);
    expect(forAnybody(mutual)).toEqual(loadServerTls(pair));
  });

  it('is refused without its key, with another one, and when it is none; no value is told', () => {
    const [certificate, key] = [{ SERVER_TLS_CERTIFICATE: server.cert }, { SERVER_TLS_KEY: server.key }];
    expect(problemsOf(certificate)).toEqual(['SERVER_TLS_KEY: is required with SERVER_TLS_CERTIFICATE']);
    expect(problemsOf(key)).toEqual(['SERVER_TLS_CERTIFICATE: is required with SERVER_TLS_KEY']);
    expect(problemsOf({ ...certificate, SERVER_TLS_KEY: other.key })).toEqual([
      'SERVER_TLS_KEY: is not the key of SERVER_TLS_CERTIFICATE',
    ]);
    expect(problemsOf({ ...key, SERVER_TLS_CERTIFICATE: server.key })).toEqual([
      'SERVER_TLS_CERTIFICATE: must be certificates in PEM form',
    ]);
    expect(problemsOf({ ...certificate, SERVER_TLS_KEY: server.cert })).toEqual([
      'SERVER_TLS_KEY: must be a private key in PEM form, not encrypted',
    ]);
    expect(problemsOf({ SERVER_TLS_CLIENT_CA: authority.cert })).toEqual([
      'SERVER_TLS_CLIENT_CA: needs SERVER_TLS_CERTIFICATE',
    ]);
  });
});

describe('the URL of the database', () => {
  const URL_BASE = 'postgresql://u:100%25x8@db/auth';
  const read = (url: string, env: Record<string, string> = {}) =>
    toDatabaseConfig(databaseEnv.parse({ DATABASE_URL: url, ...env }));

  it.each(['require', 'verify-ca', 'verify-full'])('means full verification with sslmode=%s', (mode) => {
    const tls = { minVersion: 'TLSv1.2', rejectUnauthorized: true };
    expect(read(`${URL_BASE}?sslmode=${mode}&application_name=x`)).toMatchObject({
      url: `${URL_BASE}?application_name=x`,
      tls,
    });
    expect(read(URL_BASE, { DATABASE_TLS: 'true' })).toMatchObject({ url: URL_BASE, tls });
    expect(read(URL_BASE).tls).toBeUndefined();
    expect(read(`${URL_BASE}?sslmode=disable`)).toMatchObject({ url: URL_BASE });
  });

  it.each([
    'sslmode=prefer',
    'sslmode=allow',
    'sslmode=no-verify',
    'ssl=true',
    'ssl=0',
    'sslrootcert=/x',
    'uselibpqcompat=true',
  ])('may not weaken it by %s', (parameter) => {
    const problems = databaseTlsProblems({ DATABASE_URL: `${URL_BASE}?${parameter}` });
    expect(problems).toEqual([expect.stringMatching(/^DATABASE_URL: /)]);
  });

  it('may not contradict DATABASE_TLS', () => {
    const DATABASE_URL = `${URL_BASE}?sslmode=disable`;
    expect(databaseTlsProblems({ DATABASE_URL, DATABASE_TLS: 'true' })).toHaveLength(1);
    expect(databaseTlsProblems({ DATABASE_URL, DATABASE_TLS: 'false' })).toEqual([]);
  });
});

describe('in production, plaintext', () => {
  const REMOTE = {
    HOST: '0.0.0.0',
    DATABASE_URL: 'postgresql://u:x8Jq2mTz@db/auth',
    REDIS_HOST: 'redis',
    TEMPORAL_ADDRESS: 'temporal:7233',
    SMTP_HOST: 'mail',
    AUTH_SERVICE_URLS: 'http://localhost:3001,http://api:3001',
  };
  const NAMES = [
    'SERVER_TLS_CERTIFICATE',
    'DATABASE_TLS',
    'REDIS_TLS',
    'TEMPORAL_TLS',
    'SMTP_REQUIRE_TLS',
    'AUTH_SERVICE_URLS',
  ];
  const variablesOf = (values: Record<string, string>) =>
    plaintextProblems(values).map((problem) => problem.split(':')[0]);

  it('leaves the machine nowhere', () => {
    expect(variablesOf(REMOTE)).toEqual(NAMES);
    expect(variablesOf({ ...REMOTE, DATABASE_URL: `${REMOTE.DATABASE_URL}?sslmode=disable` })).toEqual(NAMES);
    expect(variablesOf({ DATABASE_URL: 'postgresql://u:x8Jq2mTz@localhost/auth?host=db' })).toEqual(['DATABASE_TLS']);
    expect(variablesOf({ ...REMOTE, SMTP_HOST: '127.0.0.1.evil.test' })).toEqual(NAMES);
  });

  it('is not what operators sign in by', () => {
    expect(variablesOf({ CODEC_SERVER_URL: 'http://codec.test' })).toEqual(['CODEC_SERVER_URL']);
    for (const url of ['https://codec.test', 'http://localhost:8888'])
      expect(variablesOf({ CODEC_SERVER_URL: url })).toEqual([]);
  });

  it('is no matter with TLS, within the machine, or where it is allowed by name', () => {
    const encrypted = {
      ...{ SERVER_TLS_CERTIFICATE: 'x', DATABASE_TLS: 'true', REDIS_TLS: 'true', TEMPORAL_TLS: 'true' },
      SMTP_SECURE: 'true',
      AUTH_SERVICE_URLS: 'https://api:3001',
    };
    expect(variablesOf({ ...REMOTE, ...encrypted })).toEqual([]);
    expect(variablesOf({ DATABASE_URL: 'postgresql://u:x@[::1]/auth', REDIS_HOST: '127.0.0.9' })).toEqual([]);
    expect(variablesOf({ ...REMOTE, PLAINTEXT_ALLOWED: 'http, redis' })).toEqual([
      'DATABASE_TLS',
      'TEMPORAL_TLS',
      'SMTP_REQUIRE_TLS',
      'AUTH_SERVICE_URLS',
    ]);
  });
});
