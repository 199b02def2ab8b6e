import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';

/** What a helper process can be asked to do, by name. Arguments and results cross a process boundary as structured clones. */
export type Handlers = Readonly<Record<string, (options: never) => Promise<unknown>>>;

interface Call {
  readonly id: number;
  readonly name: string;
  readonly options: unknown;
}
type Answer = { readonly id: number } & ({ readonly result: unknown } | { readonly error: string });

type Options<H extends Handlers, N extends keyof H> = Parameters<H[N]>[0];
type Result<H extends Handlers, N extends keyof H> = Awaited<ReturnType<H[N]>>;

/** A child process that makes load, serves or computes, so that it does so on a core and an event loop of its own. */
export interface Helper<H extends Handlers> {
  readonly pid: number;
  readonly call: <N extends keyof H & string>(name: N, options: Options<H, N>) => Promise<Result<H, N>>;
  readonly stop: () => Promise<void>;
}

const exited = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve();
    else child.once('exit', () => resolve());
  });

/** Starts `tools/bench/<name>.child.ts`. */
export const startHelper = <H extends Handlers>(name: string, env: NodeJS.ProcessEnv = {}): Helper<H> => {
  const child = fork(join(__dirname, `${name}.child.js`), {
    env: { ...process.env, ...env },
    serialization: 'advanced',
    // In a session of its own: Ctrl-C reaches only the bench, which stops its helpers.
    detached: true,
  });
  const waiting = new Map<number, { resolve: (result: unknown) => void; reject: (error: Error) => void }>();
  let lastId = 0;
  child.on('message', (answer: Answer) => {
    const caller = waiting.get(answer.id);
    waiting.delete(answer.id);
    if ('error' in answer) caller?.reject(new Error(`${name}: ${answer.error}`));
    else caller?.resolve(answer.result);
  });
  const fail = (error: Error): void => {
    for (const caller of waiting.values()) caller.reject(error);
    waiting.clear();
  };
  child.once('error', fail);
  child.once('exit', (code, signal) => fail(new Error(`${name} ended with ${signal ?? `exit code ${String(code)}`}`)));

  return {
    pid: child.pid ?? 0,
    call: <N extends keyof H & string>(task: N, options: Options<H, N>) =>
      new Promise<Result<H, N>>((resolve, reject) => {
        const id = (lastId += 1);
        waiting.set(id, { resolve: resolve as (result: unknown) => void, reject });
        child.send({ id, name: task, options } satisfies Call, (error) => error !== null && reject(error));
      }),
    stop: async () => {
      child.kill('SIGKILL');
      await exited(child);
    },
  };
};

/** The other side: answers calls for as long as the bench lives. */
export const serveCalls = (handlers: Handlers): void => {
  const answer = async ({ id, name, options }: Call): Promise<void> => {
    try {
      const handler = handlers[name] as ((options: unknown) => Promise<unknown>) | undefined;
      if (handler === undefined) throw new Error(`there is no ${name}`);
      process.send?.({ id, result: await handler(options) } satisfies Answer);
    } catch (error) {
      process.send?.({
        id,
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      } satisfies Answer);
    }
  };
  process.on('message', (call: Call) => {
    answer(call).catch(console.error);
  });
  process.on('disconnect', () => process.exit(0));
};
