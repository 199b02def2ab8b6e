import type { ProcessName } from '../../src/config/processes';

import { eventually } from './eventually';
import { holdTable, someoneWaits } from './hold';
import type { Answer } from './http-client';
import type { TestService } from './service';

/** Longer than an activity may take before it is tried again, and a job before it is taken back. */
export const RECOVERY_MS = 60_000;

/** SIGKILL, and another one starts, one process after the other. */
export const killAll = async ({ processes }: TestService, names: readonly ProcessName[] = ['api', 'worker']) => {
  for (const name of names) {
    await processes[name].kill();
    await processes[name].start();
  }
};

/**
 * Holds a table, begins the request, waits until somebody waits for the table, kills the processes there, and lets it go.
 *
 * @param request begun once the table is held: begun before, it could be done before anybody has to wait
 * @returns what the request came to
 */
export const killWhileHeld = async <T>(
  service: TestService,
  table: string,
  request: () => Promise<T>,
  names?: readonly ProcessName[],
): Promise<T> => {
  const hold = await holdTable(service, table);
  const answer = request();
  // Who waits for it at the end is told; until then a lost one is no error of the test's.
  answer.catch(() => undefined);
  try {
    await someoneWaits(service, table);
    await killAll(service, names);
  } finally {
    await hold.release();
  }
  return answer;
};

/** Whether a request came to an answer, whatever it says. */
export const fateOf = (request: Promise<unknown>): Promise<'answered' | 'lost'> =>
  request.then(
    () => 'answered',
    () => 'lost',
  );

/** As a client does whose answer was lost, under one key: asks until it is told. */
export const untilAnswered = (ask: (headers: Record<string, string>) => Promise<Answer>): Promise<Answer> => {
  const headers = { 'idempotency-key': crypto.randomUUID() };
  return eventually(
    'an answer',
    async () => {
      const answer = await ask(headers);
      return answer.status !== 503 && answer.body?.code !== 'idempotency_in_flight' && answer;
    },
    RECOVERY_MS,
  );
};
