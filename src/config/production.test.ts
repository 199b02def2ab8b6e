import { describe, expect, it } from '@jest/globals';

import { ConfigError, loadConfig } from './load';
import { SECTION_NAMES } from './sections';

const key = (seed: number): string =>
  Buffer.from(Array.from({ length: 32 }, (_, i) => (seed + i) % 256)).toString('base64');

const PRODUCTION = {
  NODE_ENV: 'production',
  DATABASE_URL: 'postgresql://meqenet:x8Jq2mTz@db.internal:5432/meqenet_auth',
  ROOT_KEYS: `k1:${key(1)}`,
  DATABASE_TLS: 'true',
  BLIND_INDEX_KEY: key(3),
  TOKEN_KEY: key(4),
  GATEWAY_SECRET: key(5),
  PUBLIC_URL: 'https://auth.meqenet.et',
};

const problemsOf = (changes: Readonly<Record<string, string>>): readonly string[] => {
  try {
    loadConfig(SECTION_NAMES, { ...PRODUCTION, ...changes });
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
};

describe('in production', () => {
  it('a proper configuration is taken', () => {
    expect(problemsOf({})).toEqual([]);
  });

  it('an owner has a day at least to object to a recovery, and to take an erasure back', () => {
    for (const wait of ['23h', '60m', '1439m', '5000ms']) {
      expect(problemsOf({ MFA_RECOVERY_WAIT: wait })).toEqual([expect.stringMatching(/^MFA_RECOVERY_WAIT: /)]);
      expect(problemsOf({ ERASURE_GRACE: wait })).toEqual([expect.stringMatching(/^ERASURE_GRACE: /)]);
    }
    expect(problemsOf({ MFA_RECOVERY_WAIT: '1d', ERASURE_GRACE: '1d' })).toEqual([]);
  });

  const WEAK_URLS = [
    'postgresql://meqenet@db/auth',
    'postgresql://meqenet:@db/auth',
    'postgresql://db/auth',
    'postgresql://u:postgres@db/auth',
    'postgresql://u:Password@db/auth',
    'postgresql://u:meqenet@db/auth',
    'postgresql://u:change-me@db/auth',
    'postgresql://u:change%2Dme@db/auth',
    'postgresql://u:x8Jq2mTz@db/auth?password=postgres',
    'postgresql://same:same@db/auth',
  ];
  it.each(WEAK_URLS)('%s is refused for its password', (url) => {
    expect(problemsOf({ DATABASE_URL: url })).toEqual([expect.stringMatching(/^DATABASE_URL: .*production$/)]);
    expect(problemsOf({ DATABASE_URL: url, NODE_ENV: 'development' })).toEqual([]);
  });

  it('an odd escape in a password is no crash', () => {
    expect(problemsOf({ DATABASE_URL: 'postgresql://u:100%x8Jq@db/auth' })).toEqual([]);
  });

  it.each(['ROOT_KEYS'])('development keys in %s are refused, also old ones', (name) => {
    const problem = `${name}: holds a development key (its id starts with dev), which is refused in production`;
    expect(problemsOf({ [name]: `dev1:${key(9)}` })).toEqual([problem]);
    expect(problemsOf({ [name]: `k1:${key(8)}, dev1:${key(9)}` })).toEqual([problem]);
    expect(problemsOf({ [name]: `dev1:${key(9)}`, NODE_ENV: 'test' })).toEqual([]);
  });

  it('SMS that are mailed in the clear are refused, and so is a gateway without TLS', () => {
    expect(problemsOf({ SMS_PROVIDER: 'development' })).toEqual([
      expect.stringMatching(/^SMS_PROVIDER: .*production$/),
    ]);
    const gateway = { SMS_PROVIDER: 'http', SMS_HTTP_TOKEN: 'x8Jq2mTz' };
    expect(problemsOf({ ...gateway, SMS_HTTP_URL: 'http://sms/v1' })).toEqual([
      'SMS_HTTP_URL: must be https in production',
    ]);
    expect(problemsOf({ ...gateway, SMS_HTTP_URL: 'https://sms.example/v1' })).toEqual([]);
  });

  it('nobody sends SMS unless somebody is named; elsewhere they are mailed', () => {
    expect(loadConfig(SECTION_NAMES, PRODUCTION).sms.provider).toBe('none');
    expect(loadConfig(SECTION_NAMES, { ...PRODUCTION, NODE_ENV: 'development' }).sms.provider).toBe('development');
    expect(problemsOf({ SMS_PROVIDER: 'http', NODE_ENV: 'test' })).toEqual([
      'SMS_HTTP_URL: is required with SMS_PROVIDER=http',
      'SMS_HTTP_TOKEN: is required with SMS_PROVIDER=http',
    ]);
  });

  it('these problems are reported together with all others', () => {
    expect(problemsOf({ DATABASE_URL: 'postgresql://u:postgres@db/auth', AUTH_SERVICE_PORT: 'x' })).toHaveLength(2);
  });
});
