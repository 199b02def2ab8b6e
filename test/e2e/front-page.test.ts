import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser } from 'playwright-core';

import { createProcesses } from '../../tools/processes';
import { createQueueBoard } from '../../tools/stack/queue-board';
import { hasBrowser, launchBrowser } from '../support/browser';
import { eventually } from '../support/eventually';
import { useTestService } from '../support/service';

const service = useTestService({ processes: ['api'] });

interface PartState {
  readonly name: string;
  readonly state: string;
}

const startGateway = async (env: Readonly<Record<string, string>>) => {
  const { gateway } = createProcesses(service.stack, { env: { NODE_ENV: 'test', ...env } });
  await gateway.start();
  return gateway;
};

describe('the front page of the gateway', () => {
  let stop: (() => Promise<void>) | undefined;
  let browser: Browser | undefined;

  beforeAll(async () => {
    const { mailUrl, temporalUiUrl, ports } = service.stack;
    const board = createQueueBoard({ ...service.stack, port: ports.queueBoard });
    await board.start();
    const parts = {
      'Temporal UI': temporalUiUrl,
      'Caught mail': `${mailUrl}/index.html`,
      'Queue board': `http://localhost:${String(ports.queueBoard)}`,
      Worker: `http://localhost:${String(ports.workerMetrics)}/metrics`,
    };
    const gateway = await startGateway({
      FRONT_PAGE_PARTS: Object.entries(parts)
        .map(([name, url]) => `${name}=${url}`)
        .join(','),
    });
    stop = async () => {
      await gateway.stop();
      await board.stop();
    };
  }, 90_000);
  afterAll(async () => {
    await browser?.close();
    await stop?.();
  });

  const states = async (): Promise<Record<string, string>> => {
    const list = (await (await fetch(`${service.gatewayUrl}/front-page/parts`)).json()) as PartState[];
    return Object.fromEntries(list.map(({ name, state }) => [name, state]));
  };

  it('shows how every part does, also when one goes and comes back', async () => {
    const expected = { gateway: 'up', auth: 'up', 'auth: postgres': 'up', 'Temporal UI': 'up', 'Caught mail': 'up' };
    await eventually('every part', async () => {
      expect(await states()).toMatchObject({ ...expected, 'Queue board': 'up', Worker: 'down' });
      return true;
    });
    await service.stack.valkey?.kill();
    await eventually('Redis is missed', async () => {
      expect(await states()).toMatchObject({ gateway: 'degraded', auth: 'degraded', 'auth: redis': 'down' });
      return true;
    });
    await service.stack.valkey?.start();
    await eventually('Redis is back', async () => {
      expect(await states()).toMatchObject({ gateway: 'up', auth: 'up', 'auth: redis': 'up' });
      return true;
    });
  });

  (hasBrowser() ? it : it.skip)('is a page with live states, links, and requests to copy', async () => {
    browser = await launchBrowser();
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    await page.goto(`${service.gatewayUrl}/`);
    await page.waitForSelector('#parts li[data-state="up"]');
    expect(await page.getByRole('link', { name: 'Temporal UI' }).getAttribute('href')).toBe(
      service.stack.temporalUiUrl,
    );
    expect(await page.getByRole('link', { name: 'API documents' }).getAttribute('href')).toBe('/api/docs');
    expect(await page.locator('pre').first().textContent()).toContain(`curl -s ${service.gatewayUrl}/v1/auth/register`);
    expect(await page.getByRole('button', { name: 'Copy' }).count()).toBe(5);
    expect(complaints).toEqual([]);
  });

  it('shows the jobs of the queue to whoever sits at the machine', async () => {
    const answer = await fetch(`http://127.0.0.1:${String(service.stack.ports.queueBoard)}/api/queues`);
    expect(await answer.json()).toMatchObject({ queues: [{ name: 'notifications' }] });
  });
});
