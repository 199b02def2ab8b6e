import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { createAuthority } from '../../test/support/certificates';

import { ConfigError } from './load';
import { PROCESS_SECTIONS } from './processes';
import { SECTION_NAMES } from './sections';
import { type Reload, watchConfig, type WatchedConfig } from './watch';

const key = (seed: number): string =>
  Buffer.from(Array.from({ length: 32 }, (_, i) => (seed + i) % 256)).toString('base64');
const REQUIRED = {
  DATABASE_URL: 'postgresql://meqenet:x8Jq2mTz@db.internal:5432/meqenet_auth',
  ROOT_KEYS: `k1:${key(1)}`,
  BLIND_INDEX_KEY: key(3),
  TOKEN_KEY: key(4),
  GATEWAY_SECRET: key(5),
};

describe('a change of CONFIG_FILE', () => {
  let folder = '';
  let file = '';
  let watched: WatchedConfig;
  let stop: () => void = () => undefined;
  let reloads: Reload[] = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'meqenet-watch-'));
    file = join(folder, 'auth.yaml');
    reloads = [];
  });
  afterEach(() => {
    stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const start = (text: string, environment: Readonly<Record<string, string>> = {}) => {
    writeFileSync(file, text);
    watched = watchConfig(SECTION_NAMES, {
      environment: { ...REQUIRED, CONFIG_FILE: file, ...environment },
      pollMs: 20,
    });
    stop = watched.stop;
    watched.start((reload) => reloads.push(reload));
  };
  const next = async (count = 1): Promise<Reload | undefined> => {
    for (let tries = 0; tries < 200 && reloads.length < count; tries += 1) await sleep(10);
    return reloads[count - 1];
  };

  it('takes effect in the very objects that were given out', async () => {
    start('LOG_LEVEL: info\nCORS_ORIGINS: [https://a.example]\n');
    const { app, tokens, limits } = watched.config;
    expect(app.corsOrigins).toEqual(['https://a.example']);
    writeFileSync(
      file,
      'LOG_LEVEL: debug\nCORS_ORIGINS: [https://a.example, https://b.example]\nJWT_EXPIRES_IN: 5m\n' +
        'RATE_LIMIT_READ: { caller: 7, window: 10s }\n',
    );
    expect(await next()).toEqual({
      outcome: 'applied',
      changed: ['CORS_ORIGINS', 'JWT_EXPIRES_IN', 'LOG_LEVEL', 'RATE_LIMIT_READ'],
      heldBack: [],
    });
    expect(watched.config.pino.level).toBe('debug');
    expect(app.corsOrigins).toEqual(['https://a.example', 'https://b.example']);
    expect(tokens.jwt.expiresInMs).toBe(300_000);
    // Tokens of 15 minutes are still in use.
    expect(tokens.signingKeys.retainMs).toBe(30 * 60_000);
    expect(limits.classes.read).toEqual({ caller: 7, windowSeconds: 10 });
  });

  it('that is bad is refused as a whole, with every problem, and the last good one goes on', async () => {
    start('LOG_LEVEL: info\n');
    writeFileSync(file, 'LOG_LEVEL: warn\nJWT_EXPIRES_IN: soon\nRATE_LIMIT_READ: many\nNONSENSE: 1\nTOKEN_KEY: hush\n');
    const reload = await next();
    expect(reload).toMatchObject({ outcome: 'refused' });
    const problems = reload?.outcome === 'refused' ? reload.problems : [];
    expect(problems.map((line) => line.replace(/(must be|is a secret).*/, '$1')).sort()).toEqual([
      'CONFIG_FILE: NONSENSE is no variable',
      'CONFIG_FILE: TOKEN_KEY is a secret',
      'JWT_EXPIRES_IN: must be',
      'RATE_LIMIT_READ: must be',
    ]);
    expect(problems.join()).not.toMatch(/soon|many|hush/);
    expect(watched.config.pino.level).toBe('info');
    writeFileSync(file, 'LOG_LEVEL: [\n');
    expect(await next(2)).toMatchObject({ outcome: 'refused', problems: [expect.stringContaining('is not YAML')] });
    rmSync(file);
    expect(await next(3)).toEqual({ outcome: 'refused', problems: ['CONFIG_FILE: cannot be read'] });
    writeFileSync(file, 'LOG_LEVEL: error\n');
    expect(await next(4)).toEqual({ outcome: 'applied', changed: ['LOG_LEVEL'], heldBack: [] });
  });

  it('of what takes effect at a restart only is reported and refused', async () => {
    start('LOG_LEVEL: info\nDATABASE_POOL_SIZE: 5\n');
    expect(watched.config.database.poolSize).toBe(5);
    writeFileSync(file, 'LOG_LEVEL: debug\nDATABASE_POOL_SIZE: 6\n');
    expect(await next()).toEqual({
      outcome: 'refused',
      problems: ['DATABASE_POOL_SIZE: takes effect at a restart only'],
    });
    expect(watched.config.pino.level).toBe('info');
    expect(watched.config.database.poolSize).toBe(5);
  });

  it('does not get past a variable of the environment', async () => {
    start('LOG_LEVEL: info\n', { LOG_LEVEL: 'warn' });
    expect(watched.config.pino.level).toBe('warn');
    writeFileSync(file, 'LOG_LEVEL: debug\nJWT_EXPIRES_IN: 5m\n');
    expect(await next()).toEqual({ outcome: 'applied', changed: ['JWT_EXPIRES_IN'], heldBack: [] });
    expect(watched.config.pino.level).toBe('warn');
  });

  it('concerns the processes that read what it changes, and what no process reads concerns each', async () => {
    writeFileSync(file, 'LOG_LEVEL: info\nDATABASE_POOL_SIZE: 5\n');
    const { GATEWAY_SECRET } = REQUIRED;
    const gateway = watchConfig(PROCESS_SECTIONS.gateway, {
      ...{ environment: { GATEWAY_SECRET, CONFIG_FILE: file }, pollMs: 20 },
    });
    stop = gateway.stop;
    gateway.start((reload) => reloads.push(reload));
    expect(Object.keys(gateway.config).sort()).toEqual([...PROCESS_SECTIONS.gateway].sort());
    // Of the database: neither what awaits a restart there nor what is wrong there.
    writeFileSync(file, 'LOG_LEVEL: debug\nDATABASE_POOL_SIZE: many\nJWT_EXPIRES_IN: 5m\n');
    expect(await next()).toEqual({ outcome: 'applied', changed: ['JWT_EXPIRES_IN', 'LOG_LEVEL'], heldBack: [] });
    expect(gateway.config.tokens.jwt.expiresInMs).toBe(300_000);
    writeFileSync(file, 'LOG_LEVEL: warn\nDATABASE_POOL_SIZES: 6\nTOKEN_KEY: hush\n');
    expect(await next(2)).toEqual({
      outcome: 'refused',
      problems: [
        'CONFIG_FILE: DATABASE_POOL_SIZES is no variable',
        'CONFIG_FILE: TOKEN_KEY is a secret and belongs into TOKEN_KEY_FILE',
      ],
    });
    expect(gateway.config.pino.level).toBe('debug');
  });

  it('is noticed where a volume of Kubernetes swaps a symbolic link', async () => {
    for (const [version, level] of [
      ['v1', 'info'],
      ['v2', 'error'],
    ] as const) {
      mkdirSync(join(folder, version));
      writeFileSync(join(folder, version, 'auth.yaml'), `LOG_LEVEL: ${level}\n`);
    }
    symlinkSync('v1', join(folder, '..data'));
    symlinkSync(join('..data', 'auth.yaml'), file);
    watched = watchConfig(SECTION_NAMES, { environment: { ...REQUIRED, CONFIG_FILE: file }, pollMs: 20 });
    stop = watched.stop;
    watched.start((reload) => reloads.push(reload));
    expect(watched.config.pino.level).toBe('info');
    symlinkSync('v2', join(folder, '..data_tmp'));
    renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
    expect(await next()).toEqual({ outcome: 'applied', changed: ['LOG_LEVEL'], heldBack: [] });
    expect(watched.config.pino.level).toBe('error');
  });

  it('cannot switch the limits off in production', async () => {
    const production = { NODE_ENV: 'production', PUBLIC_URL: 'https://auth.meqenet.et', DATABASE_TLS: 'true' };
    start('RATE_LIMIT_MODE: enforce\n', production);
    writeFileSync(file, 'RATE_LIMIT_MODE: observe\n');
    expect(await next()).toMatchObject({ outcome: 'refused', problems: [expect.stringMatching(/^RATE_LIMIT_MODE: /)] });
    expect(watched.config.limits.mode).toBe('enforce');
    expect(() =>
      watchConfig(SECTION_NAMES, { environment: { ...REQUIRED, NODE_ENV: 'production', RATE_LIMIT_MODE: 'observe' } }),
    ).toThrow(ConfigError);
  });
});

describe('secrets while the process runs', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'meqenet-watch-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const { DATABASE_URL, TOKEN_KEY, ...others } = REQUIRED;
  const rotated = 'postgresql://meqenet:An0therOne@db.internal:5432/meqenet_auth';

  it('of a provider: what may change does so in the very objects, and a key waits for the restart', () => {
    let secrets = { DATABASE_URL, TOKEN_KEY };
    const { config, takeSecrets } = watchConfig(SECTION_NAMES, { environment: others, secrets: () => secrets });
    const { database } = config;
    const { tokenKey } = config.security;
    expect(takeSecrets()).toEqual({ outcome: 'applied', changed: [], heldBack: [] });
    secrets = { DATABASE_URL: rotated, TOKEN_KEY: key(5) };
    expect(takeSecrets()).toEqual({ outcome: 'applied', changed: ['DATABASE_URL'], heldBack: ['TOKEN_KEY'] });
    expect(database.url).toBe(rotated);
    expect(config.security.tokenKey).toEqual(tokenKey);
    // Still another key than the one in use, and nothing new besides.
    expect(takeSecrets()).toEqual({ outcome: 'applied', changed: [], heldBack: ['TOKEN_KEY'] });
  });

  it('of another process are not looked at', () => {
    const { GATEWAY_SECRET } = REQUIRED;
    let secrets: Record<string, string> = { GATEWAY_SECRET, DATABASE_URL };
    const environment = { DATABASE_URL, TOKEN_KEY_FILE: join(folder, 'nowhere') };
    const { config, takeSecrets } = watchConfig(PROCESS_SECTIONS.gateway, { environment, secrets: () => secrets });
    secrets = { GATEWAY_SECRET: key(6), DATABASE_URL: 'hush' };
    expect(takeSecrets()).toEqual({ outcome: 'applied', changed: ['GATEWAY_SECRET'], heldBack: [] });
    expect(config.gatewayTrust.secrets).toEqual([Buffer.from(key(6), 'base64')]);
    // It was there: a gateway cannot go on without.
    secrets = {};
    expect(takeSecrets()).toEqual({ outcome: 'refused', problems: ['GATEWAY_SECRET: is required and not set'] });
    expect(JSON.stringify(config)).not.toContain('x8Jq2mTz');
  });

  it('that are unusable are refused with every problem and no value, a key that waits for its restart as well', () => {
    let secrets = { DATABASE_URL, TOKEN_KEY };
    const { config, takeSecrets } = watchConfig(SECTION_NAMES, { environment: others, secrets: () => secrets });
    secrets = { DATABASE_URL: rotated, TOKEN_KEY: 'hush' };
    expect(takeSecrets()).toEqual({ outcome: 'refused', problems: [expect.stringMatching(/^TOKEN_KEY: must be/)] });
    secrets = { DATABASE_URL: 'hush', TOKEN_KEY };
    const reload = takeSecrets();
    expect(reload).toEqual({ outcome: 'refused', problems: [expect.stringMatching(/^DATABASE_URL: must be/)] });
    expect(JSON.stringify(reload)).not.toContain('hush');
    expect(config.database.url).toBe(DATABASE_URL);
  });

  it('of files are read anew, and what CONFIG_FILE said last stays', () => {
    const file = join(folder, 'url');
    const configFile = join(folder, 'auth.yaml');
    writeFileSync(file, `${DATABASE_URL}\n`);
    writeFileSync(configFile, 'LOG_LEVEL: warn\n');
    const environment = { ...others, TOKEN_KEY, DATABASE_URL_FILE: file, CONFIG_FILE: configFile };
    const { config, takeSecrets } = watchConfig(SECTION_NAMES, { environment });
    writeFileSync(configFile, 'LOG_LEVEL: [\n');
    writeFileSync(file, `${rotated}\n`);
    expect(takeSecrets()).toEqual({ outcome: 'applied', changed: ['DATABASE_URL'], heldBack: [] });
    expect(config.database.url).toBe(rotated);
    expect(config.pino.level).toBe('warn');
    rmSync(file);
    expect(takeSecrets()).toEqual({ outcome: 'refused', problems: ['DATABASE_URL_FILE: cannot be read (ENOENT)'] });
    expect(config.database.url).toBe(rotated);
  });

  it('are taken over where they are a server’s certificate, and wait for a restart where they are a client’s', async () => {
    const authority = await createAuthority();
    const put = async () => {
      const { cert, key: pem } = await authority.issue('localhost');
      for (const [name, text] of [
        ['server.crt', cert],
        ['server.key', pem],
        ['redis-ca.crt', (await createAuthority()).cert],
      ] as const)
        writeFileSync(join(folder, name), text);
      return cert;
    };
    const before = await put();
    const { config, takeSecrets } = watchConfig(SECTION_NAMES, {
      environment: {
        ...REQUIRED,
        SERVER_TLS_CERTIFICATE_FILE: join(folder, 'server.crt'),
        SERVER_TLS_KEY_FILE: join(folder, 'server.key'),
        REDIS_TLS_CA_FILE: join(folder, 'redis-ca.crt'),
      },
    });
    const after = await put();
    expect(config.tls?.cert.trim()).toBe(before.trim());
    const changed = ['SERVER_TLS_CERTIFICATE', 'SERVER_TLS_KEY'];
    expect(takeSecrets()).toEqual({ outcome: 'applied', changed, heldBack: ['REDIS_TLS_CA'] });
    expect(config.tls?.cert.trim()).toBe(after.trim());
  });
});
