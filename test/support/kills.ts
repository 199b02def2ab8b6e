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
 * Holds a table, waits until somebody waits for it, kills the processes there, and lets it go.
 *
 * @param request what is answered before anything is killed
 */
export const killWhileHeld = async (
  service: TestService,
  table: string,
  { names, request }: { readonly names?: readonly ProcessName[]; readonly request?: () => Promise<unknown> } = {},
): Promise<void> => {
  const hold = await holdTable(service, table);
  try {
    await request?.();
    await someoneWaits(service, table);
    await killAll(service, names);
  } finally {
    await hold.release();
  }
};

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
