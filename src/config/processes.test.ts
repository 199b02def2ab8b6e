import { describe, expect, it } from '@jest/globals';

import { ConfigError, loadConfig } from './load';
import { PROCESS_SECTIONS, type ProcessName, type SectionOf } from './processes';
import { type Config, SECTION_NAMES, variablesThatAre } from './sections';

const key = (seed: number): string =>
  Buffer.from(Array.from({ length: 32 }, (_, i) => (seed + i) % 256)).toString('base64');
/** Well-formed, each another one, so that none can be taken for another. */
const VALUES: Readonly<Record<string, string>> = {
  DATABASE_URL: 'postgresql://meqenet:x8Jq2mTz@db.internal:5432/meqenet_auth',
  ROOT_KEYS: `k1:${key(1)}`,
  BLIND_INDEX_KEY: key(2),
  TOKEN_KEY: key(3),
  GATEWAY_SECRET: key(4),
};

const KEYS = ['ROOT_KEYS', 'BLIND_INDEX_KEY', 'TOKEN_KEY'];
const OF = {
  every: ['SERVER_TLS_KEY', 'REDIS_PASSWORD', 'REDIS_TLS_KEY', 'OTEL_EXPORTER_OTLP_HEADERS'],
  database: ['DATABASE_URL', 'DATABASE_TLS_KEY'],
  mail: ['SMTP_PASSWORD', 'SMTP_TLS_KEY'],
};

interface Expected {
  readonly required: readonly string[];
  /** All that it can be given, the required ones included. */
  readonly secrets: readonly string[];
}
const EXPECTED: Readonly<Record<ProcessName, Expected>> = {
  api: {
    required: ['DATABASE_URL', ...KEYS],
    secrets: [
      ...[...OF.every, ...OF.database, ...OF.mail, ...KEYS],
      ...['TEMPORAL_TLS_KEY', 'GRPC_SERVICE_TOKENS', 'GATEWAY_SECRET'],
    ],
  },
  worker: {
    required: ['DATABASE_URL', ...KEYS],
    secrets: [...[...OF.every, ...OF.database, ...OF.mail, ...KEYS], ...['TEMPORAL_TLS_KEY', 'SMS_HTTP_TOKEN']],
  },
  consumer: {
    required: ['DATABASE_URL'],
    secrets: [...OF.every, ...OF.database, ...OF.mail],
  },
  gateway: {
    required: ['GATEWAY_SECRET'],
    secrets: [...OF.every, 'GATEWAY_SECRET', 'UPSTREAM_TLS_KEY'],
  },
  'codec-server': {
    required: ['DATABASE_URL', ...KEYS],
    secrets: [...OF.every, ...OF.database, ...KEYS, 'TEMPORAL_TLS_KEY'],
  },
};
const PROCESSES = Object.keys(EXPECTED) as ProcessName[];

const problemsOf = (name: ProcessName, environment: Readonly<Record<string, string>>): readonly string[] => {
  try {
    loadConfig(PROCESS_SECTIONS[name], environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
};

describe.each(PROCESSES)('%s', (name) => {
  const { required, secrets } = EXPECTED[name];

  it('asks for what it needs and for nothing else', () => {
    expect([...problemsOf(name, {})].sort()).toEqual(
      required.map((variable) => `${variable}: is required and not set`).sort(),
    );
    const enough = Object.fromEntries(required.map((variable) => [variable, VALUES[variable] ?? '']));
    expect(problemsOf(name, enough)).toEqual([]);
  });

  it('reads its own secrets and no others, not even to find them wrong', () => {
    expect(variablesThatAre('secret', PROCESS_SECTIONS[name]).sort()).toEqual([...secrets].sort());
    const others = variablesThatAre('secret').filter((variable) => !secrets.includes(variable));
    expect(others).not.toEqual([]);
    const nonsense = Object.fromEntries(others.map((variable) => [variable, 'nonsense']));
    const nowhere = Object.fromEntries(others.map((variable) => [`${variable}_FILE`, '/nowhere/at/all']));
    const config = loadConfig(PROCESS_SECTIONS[name], { ...VALUES, ...nonsense, ...nowhere }, { secrets: nonsense });
    expect(Object.keys(config).sort()).toEqual([...PROCESS_SECTIONS[name]].sort());
    expect(config).toEqual(loadConfig(PROCESS_SECTIONS[name], VALUES));
  });

  it('makes the same of what it reads as whoever reads everything', () => {
    const everything = loadConfig(SECTION_NAMES, VALUES);
    const own = Object.fromEntries(PROCESS_SECTIONS[name].map((section) => [section, everything[section]]));
    expect(loadConfig(PROCESS_SECTIONS[name], VALUES)).toEqual(own);
  });
});

describe('the sections', () => {
  it('are each read by some process', () => {
    expect(new Set(Object.values(PROCESS_SECTIONS).flat())).toEqual(new Set(SECTION_NAMES));
  });

  it('that a process does not load are not to be had of its configuration, as the compiler knows', () => {
    const gateway: Config<SectionOf<'gateway'>> = loadConfig(PROCESS_SECTIONS.gateway, VALUES);
    // @ts-expect-error -- the gateway has no database
    expect(gateway.database).toBeUndefined();
    // @ts-expect-error -- nor any key
    expect(gateway.keys).toBeUndefined();
    // @ts-expect-error -- and its configuration is not enough for whoever needs them
    const forDatabase: Config<'database'> = gateway;
    expect(forDatabase).not.toHaveProperty('database');
  });

  it('that depend on others are read with what they depend on', () => {
    const environment = { NODE_ENV: 'production', PUBLIC_URL: 'https://auth.meqenet.et' };
    expect(loadConfig(['sms'], environment).sms.provider).toBe('none');
    expect(loadConfig(['webauthn'], environment).webauthn.origins).toEqual(['https://auth.meqenet.et']);
  });
});
