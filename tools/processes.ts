import { get as httpsGet } from 'node:https';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

import { PROCESS_SECTIONS, type ProcessName } from '../src/config/processes';

import { DIST_DIR, PROJECT_ROOT } from './project';
import type { PortName } from './stack/addresses';
import { createChild } from './stack/child';
import { withOwnSecrets } from './stack/own-secrets';
import type { Part } from './stack/part';
import type { Stack } from './stack/stack';

interface ProcessRule {
  readonly port: PortName;
  readonly readyPath: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** The processes of the service, by the name of their file in `src/bin`. */
const RULES = {
  // Password hashing runs in libuv's pool; as many threads as cores hash fastest.
  api: { port: 'api', readyPath: '/readyz', env: { UV_THREADPOOL_SIZE: String(availableParallelism()) } },
  worker: { port: 'workerMetrics', readyPath: '/readyz' },
  consumer: { port: 'consumerMetrics', readyPath: '/readyz' },
  gateway: { port: 'gateway', readyPath: '/readyz' },
  'codec-server': { port: 'codecServer', readyPath: '/healthz' },
} as const satisfies Record<ProcessName, ProcessRule>;

export interface ServiceProcess extends Part {
  /** Stops it as a deployment would, and starts it again. */
  readonly restart: () => Promise<void>;
}
export type ServiceProcesses = Readonly<Record<ProcessName, ServiceProcess>>;

export interface ProcessOptions {
  /** Set for every process, over what the stack says; a secret for those that read it. */
  readonly env?: Readonly<Record<string, string>>;
  /** Told when a process ends by itself. */
  readonly onCrash?: (part: Part, how: string) => void;
}

type StackPlaces = Pick<Stack, 'env' | 'ports' | 'logDir' | 'pidFile'>;

/** Over TLS only whether it answers is asked, and nothing told; who shows no certificate may be refused, by whoever serves. */
const answersSecurely = (url: string): Promise<boolean> =>
  new Promise((resolve) => {
    const options = { rejectUnauthorized: false, timeout: 3_000, agent: false };
    httpsGet(url, options, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    }).once('error', ({ message }) => {
      resolve(/certificate required/i.test(message));
    });
  });

const answers = async (url: string): Promise<boolean> => {
  if (url.startsWith('https:')) return answersSecurely(url);
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(3_000) })).ok;
  } catch {
    return false;
  }
};

const createProcess = (name: ProcessName, stack: StackPlaces, options: ProcessOptions): ServiceProcess => {
  const rule: ProcessRule = RULES[name];
  const everything: NodeJS.ProcessEnv = {
    NODE_ENV: 'development',
    ...process.env,
    WORKFLOW_BUNDLE: join(DIST_DIR, 'workflow-bundle.js'),
    ...rule.env,
    ...stack.env,
    ...options.env,
  };
  const env = withOwnSecrets(everything, PROCESS_SECTIONS[name]);
  const isSecure = [env['SERVER_TLS_CERTIFICATE'], env['SERVER_TLS_CERTIFICATE_FILE']].some(Boolean);
  const url = `${isSecure ? 'https' : 'http'}://127.0.0.1:${String(stack.ports[rule.port])}${rule.readyPath}`;
  const child = createChild({
    name,
    command: process.execPath,
    args: ['--enable-source-maps', join(DIST_DIR, 'src', 'bin', `${name}.js`)],
    cwd: PROJECT_ROOT,
    env,
    logFile: join(stack.logDir, `${name}.log`),
    pidFile: stack.pidFile,
    isReady: () => answers(url),
    onCrash: (how) => options.onCrash?.(serviceProcess, how),
  });
  const serviceProcess: ServiceProcess = {
    ...child,
    get pid() {
      return child.pid;
    },
    restart: async () => {
      await child.stop();
      await child.start();
    },
  };
  return serviceProcess;
};

/** The service's compiled processes, not yet started, on the given stack. */
export const createProcesses = (stack: StackPlaces, options: ProcessOptions = {}): ServiceProcesses => ({
  api: createProcess('api', stack, options),
  worker: createProcess('worker', stack, options),
  consumer: createProcess('consumer', stack, options),
  gateway: createProcess('gateway', stack, options),
  'codec-server': createProcess('codec-server', stack, options),
});
