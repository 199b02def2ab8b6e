import { parseArgs } from 'node:util';

import { type Environment, killEverything, startEnvironment } from './environment';
import { listenForInterruption } from './interrupt';
import { LOG_DIR } from './project';
import { done, failure, showAddresses, title } from './terminal';
import { walk } from './walk';

const USAGE = `npm start [-- --once]
  Starts the whole service on this machine, walks one person through it and stays up until Ctrl-C.
  --once  leaves after the walk; the exit code tells whether it succeeded`;

const runWalk = async ({ addresses, stack }: Environment): Promise<boolean> => {
  title('One registration and login through the public API');
  try {
    await walk({ apiUrl: addresses.gateway, mailUrl: stack.mailUrl, onStep: done });
    return true;
  } catch (error) {
    failure(new Error(`${(error as Error).message}\n  Logs of every process are in ${LOG_DIR}`));
    return false;
  }
};

const main = async (): Promise<number> => {
  const { values } = parseArgs({ options: { once: { type: 'boolean' }, help: { type: 'boolean' } } });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const begin = Date.now();
  const interruption = listenForInterruption(() => {
    killEverything();
    process.exit(130);
  });
  const environment = await startEnvironment(interruption.wanted);
  const succeeded = await runWalk(environment);
  showAddresses({ ...environment.addresses, logs: LOG_DIR });
  done('all of it', Date.now() - begin);
  if (!values.once) {
    console.log('\nRunning. Ctrl-C stops everything.');
    await interruption.requested;
  }
  console.log('\nStopping ...');
  await environment.stop();
  return succeeded ? 0 : 1;
};

const exit = (code: number): never => process.exit(code);
main().then(exit, (error: unknown) => {
  failure(error);
  exit(1);
});
