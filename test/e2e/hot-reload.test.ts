import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, describe, expect, it } from '@jest/globals';

import { eventually } from '../support/eventually';
import { newPerson, signUp, logIn } from '../support/people';
import { useTestService } from '../support/service';

describe('CONFIG_FILE', () => {
  const folder = mkdtempSync(join(tmpdir(), 'meqenet-reload-'));
  const file = join(folder, 'auth.yaml');
  const write = (lines: Readonly<Record<string, string>>): void => {
    writeFileSync(
      file,
      Object.entries(lines)
        .map(([name, value]) => `${name}: ${value}\n`)
        .join(''),
    );
  };
  write({ RATE_LIMIT_READ: '{ caller: 3000, address: 1000, window: 1m }' });
  const service = useTestService({ env: { RATE_LIMIT_MODE: 'enforce', CONFIG_FILE: file } });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  const policy = async () => (await service.http.get('/.well-known/jwks.json')).headers.get('ratelimit-policy');
  const metrics = async () => (await fetch(`${service.apiUrl}/metrics`)).text();
  const log = () => readFileSync(join(service.stack.logDir, 'api.log'), 'utf8');

  it('changes limits, origins, token lifetimes and the log level of a running process without a dropped request', async () => {
    const person = newPerson();
    await signUp(service, person);
    expect(await policy()).toBe('"address";q=1000;w=60');
    expect((await logIn(service, person)).body.expiresIn).toBe(900);
    let over = false;
    const failures: unknown[] = [];
    const load = async (): Promise<void> => {
      while (!over) {
        const { status } = await service.http.get('/healthz').catch((error: unknown) => ({ status: error }));
        if (status !== 200) failures.push(status);
      }
    };
    const loading = load();
    write({
      RATE_LIMIT_READ: 'address=900,window=30s',
      CORS_ORIGINS: '[https://new.meqenet.et]',
      JWT_EXPIRES_IN: '5m',
      LOG_LEVEL: 'debug',
    });
    await eventually('the new limit', async () => (await policy()) === '"address";q=900;w=30');
    over = true;
    await loading;
    expect(failures).toEqual([]);
    expect((await logIn(service, person)).body.expiresIn).toBe(300);
    const browser = await service.http.get('/healthz', { headers: { origin: 'https://new.meqenet.et' } });
    expect(browser.headers.get('access-control-allow-origin')).toBe('https://new.meqenet.et');
    expect(await metrics()).toMatch(/config_reloads_total\{outcome="applied"\} 1/);
    await eventually('a line of the new level', () => Promise.resolve(log().includes('"level":"debug"')));
    expect(log()).toContain('configuration reloaded');
  });

  it('that is bad or touches what needs a restart is refused; the log names every problem, and the last good one goes on', async () => {
    write({ RATE_LIMIT_READ: 'address=1,window=30s', JWT_EXPIRES_IN: 'whenever', AUTH_SERVICE_PORTS: '1' });
    await eventually('the refusal', async () =>
      (await metrics()).includes('config_reloads_total{outcome="refused"} 1'),
    );
    write({ RATE_LIMIT_READ: 'address=1,window=30s', DATABASE_POOL_SIZE: '4' });
    await eventually('the second refusal', async () =>
      (await metrics()).includes('config_reloads_total{outcome="refused"} 2'),
    );
    expect(await policy()).toBe('"address";q=900;w=30');
    await eventually('the log', () =>
      Promise.resolve(log().includes('DATABASE_POOL_SIZE: takes effect at a restart only')),
    );
    expect(log()).toMatch(/JWT_EXPIRES_IN: must be a duration/);
    expect(log()).toMatch(/AUTH_SERVICE_PORTS is no variable/);
    expect(log()).not.toContain('whenever');
  });
});
