import { spawn } from 'node:child_process';

const TAIL_LINES = 30;
/** Enough for the tail of any command. */
const KEPT_CHARACTERS = 64_000;
const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP'];
const PARENT_POLL_MS = 500;

/**
 * Passes on what ends this process, for as long as the child runs. npm starts scripts through a shell that does not pass
 * SIGTERM on, but is gone after it, and so is this process's parent.
 */
const forwardSignals = (child) => {
  const handlers = FORWARDED.map((signal) => [signal, () => child.kill(signal)]);
  for (const [signal, handler] of handlers) process.on(signal, handler);
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.env.npm_lifecycle_event === undefined || process.ppid === parent) return;
    clearInterval(watch);
    child.kill('SIGTERM');
  }, PARENT_POLL_MS);
  return () => {
    clearInterval(watch);
    for (const [signal, handler] of handlers) process.off(signal, handler);
  };
};

const finished = (child) =>
  new Promise((resolve, reject) => {
    const stopForwarding = forwardSignals(child);
    child.once('error', (error) => {
      stopForwarding();
      reject(error);
    });
    child.once('close', (code, signal) => {
      stopForwarding();
      resolve({ code, signal });
    });
  });

/** Runs a command quietly; when it fails, the error carries the end of what it printed. */
export const run = async (command, args, { env = {}, cwd } = {}) => {
  const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const keep = (data) => {
    output = (output + data).slice(-KEPT_CHARACTERS);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const { code, signal } = await finished(child);
  if (signal !== null && FORWARDED.includes(signal)) process.exit(130);
  if (code === 0) return;
  const tail = output.trimEnd().split('\n').slice(-TAIL_LINES).join('\n');
  throw new Error(`${[command, ...args].join(' ')}\nfailed with ${signal ?? `exit code ${code}`}:\n${tail}`);
};

/** Like `run`, for what needs the network: one failure is forgiven. */
export const runWithRetry = async (command, args, options) => {
  try {
    await run(command, args, options);
  } catch (error) {
    console.log(`  ... failed, trying once more (${error.message.split('\n')[0]})`);
    await run(command, args, options);
  }
};

/** Runs a Node script on this terminal and returns its exit code. The script learns when this process is gone. */
export const runOnTerminal = async (args, env = {}) => {
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const { code, signal } = await finished(child);
  return signal === null ? (code ?? 1) : 130;
};
