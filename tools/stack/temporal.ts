import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { Connection } from '@temporalio/client';

import { SEARCH_ATTRIBUTES } from '../../src/contracts/search-attributes';

import { createChild } from './child';
import type { Part } from './part';
import type { PidFile } from './pid-file';
import { temporalProgram } from './program';
import { createTemporalUi } from './temporal-ui';

/** What workflows are found by, in the words of the server's flag: `KEYWORD_LIST` is `KeywordList` there. */
const REGISTERED_ATTRIBUTES = Object.values(SEARCH_ATTRIBUTES).map(({ name, type }) => ({
  name,
  type: type
    .split('_')
    .map((word) => word.charAt(0) + word.slice(1).toLowerCase())
    .join(''),
}));

/**
 * The development server polls each of its queues at most 20 times a second, so that every workflow task would wait
 * 50 ms. Measured: a workflow of three activities takes 32 ms with these and 200 ms without.
 */
const POLL_RATES = ['transfer', 'timer', 'visibility'].map((queue) => `history.${queue}ProcessorMaxPollRPS=5000`);

/** Without them every write waits for the disk: five times slower. A killed process loses nothing all the same. */
const SQLITE_PRAGMAS = ['journal_mode=wal', 'synchronous=1'];

/** How it keeps and finds workflows, wherever it runs. */
export const STATE_FLAGS: readonly string[] = [
  ...SQLITE_PRAGMAS.map((pragma) => `--sqlite-pragma=${pragma}`),
  ...POLL_RATES.map((rate) => `--dynamic-config-value=${rate}`),
  ...REGISTERED_ATTRIBUTES.map(({ name, type }) => `--search-attribute=${name}=${type}`),
];

export interface TemporalOptions {
  readonly dataDir: string;
  readonly logDir: string;
  readonly port: number;
  readonly uiPort: number;
  /** Where the development server itself serves the UI. */
  readonly innerUiPort: number;
  readonly namespace: string;
  /** Port of the codec server that decodes payloads for the browser. */
  readonly codecServerPort: number;
  /** Dynamic configuration of the server, as `name=value`. */
  readonly settings?: readonly string[] | undefined;
  readonly pidFile: PidFile;
  readonly onCrash?: (how: string) => void;
}

/** Serves, and knows the namespace and the search attributes, which it registers after it began to serve. */
const answers = async (address: string, namespace: string): Promise<boolean> => {
  const connection = await Connection.connect({ address, connectTimeout: 1_000 }).catch(() => undefined);
  if (connection === undefined) return false;
  try {
    const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
    return REGISTERED_ATTRIBUTES.every(({ name }) => name in customAttributes);
  } catch {
    return false;
  } finally {
    await connection.close();
  }
};

/** Temporal's development server with its UI, on loopback, keeping its state in one file. */
export const createTemporal = (options: TemporalOptions): Part => {
  const folder = join(options.dataDir, 'temporal');
  mkdirSync(folder, { recursive: true });
  const address = `127.0.0.1:${String(options.port)}`;
  const ui = createTemporalUi(options.uiPort, options.innerUiPort);
  const server = createChild({
    name: 'temporal',
    command: temporalProgram(),
    args: [
      ...['server', 'start-dev', '--ip', '127.0.0.1', '--log-level', 'warn'],
      ...['--port', String(options.port), '--ui-port', String(options.innerUiPort), '--ui-disable-news-fetch'],
      ...['--ui-codec-endpoint', `http://localhost:${String(options.codecServerPort)}`],
      ...['--namespace', options.namespace, '--db-filename', join(folder, 'temporal.db')],
      ...STATE_FLAGS,
      ...(options.settings ?? []).map((setting) => `--dynamic-config-value=${setting}`),
    ],
    logFile: join(options.logDir, 'temporal.log'),
    pidFile: options.pidFile,
    isReady: () => answers(address, options.namespace),
    ...(options.onCrash !== undefined && { onCrash: options.onCrash }),
  });
  return {
    name: server.name,
    logFile: server.logFile,
    get pid() {
      return server.pid;
    },
    start: async () => {
      await server.start();
      await ui.start();
    },
    stop: async () => {
      await ui.stop();
      await server.stop();
    },
    kill: async () => {
      await ui.stop();
      await server.kill();
    },
  };
};
