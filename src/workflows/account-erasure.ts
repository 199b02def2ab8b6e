import {
  allHandlersFinished,
  CancellationScope,
  condition,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';

import type { AccountErasureActivities, ErasureMailActivities } from '../activities/account-erasure';
import {
  type AccountErasureInput,
  type AccountErasureResult,
  beginErasureUpdate,
  erasureChangedSignal,
  type ErasureMessage,
  type PendingErasure,
} from '../contracts/account-erasure-workflow';
import { SEARCH_ATTRIBUTES } from '../contracts/search-attributes';
import { TASK_QUEUES } from '../contracts/task-queues';

import { databaseActivities, NOTICE_ACTIVITY } from './activity-options';
import { createSending } from './sending';
import { now } from './workflow-clock';

const database = databaseActivities<AccountErasureActivities>();
const { createErasure } = database('Store the erasure');
const { readErasure } = database('Look whether its owner has taken it back');
const { startErasing } = database('The point of no return: close the account and end every session');
const { eraseAccount } = database('Destroy the secret of the person, and drop every row');
const { forgetHistories, forgetJobs } = proxyActivities<AccountErasureActivities>({
  startToCloseTimeout: '1h',
  heartbeatTimeout: '30s',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m' },
  summary: 'Forget what workflows and the queue hold of the person',
});
const { sendErasureMail } = proxyActivities<ErasureMailActivities>({
  ...NOTICE_ACTIVITY,
  taskQueue: TASK_QUEUES.email,
  summary: 'Mail to the owner',
});

const DAY_MS = 86_400_000;
const REMINDER_MS = 3 * DAY_MS;

/** Three days before the end; of a short grace, half-way. */
const reminderOf = ({ requestedAt, eraseAt }: PendingErasure): number =>
  Math.max(eraseAt - REMINDER_MS, requestedAt + (eraseAt - requestedAt) / 2);

const ENDINGS: Readonly<Record<AccountErasureResult, string>> = {
  COMPLETED: 'Completed: the account is erased, and what remains of it nobody can read.',
  CANCELLED: 'Taken back by its owner: nothing has changed.',
  REFUSED: 'Not begun.',
};

/** What the handlers and the waiting tell each other. */
interface State {
  open?: PendingErasure;
  /** Begins that have come and those among them that are answered. */
  begun: number;
  answered: number;
  /** Something has happened that the database knows. */
  news: boolean;
  settling: boolean;
}

/**
 * A person wants the account erased. The owner can take it back for the grace, which the database knows at once; then the account is
 * closed for good and everything is erased, step by step: each is tried until it is done, and done twice it is done once.
 */
export async function accountErasure({ userId, graceMs }: AccountErasureInput): Promise<AccountErasureResult> {
  const { workflowId } = workflowInfo();
  const state: State = { begun: 0, answered: 0, news: false, settling: false };
  const mails = createSending<{ erasureId: string; message: ErasureMessage }>(sendErasureMail, {
    sent: ({ message }) => `The owner has been told: ${message}. Waiting.`,
    refused: ({ message }) => `Nobody took the mail: ${message}. Waiting.`,
  });

  setHandler(erasureChangedSignal, () => {
    state.news = true;
  });
  setHandler(beginErasureUpdate, async ({ erasureId }) => {
    if (state.settling) return { outcome: 'ending' };
    state.begun += 1;
    try {
      const result = await CancellationScope.nonCancellable(() =>
        createErasure({ erasureId, userId, workflowId, graceMs, at: now() }),
      );
      // One that was begun after its owner had taken the one before back takes its place.
      if (result.outcome === 'pending' && state.open?.erasureId !== result.erasureId) state.open = result;
      return result;
    } finally {
      state.answered += 1;
    }
  });

  /** Waits for a time. @returns whether it was taken back meanwhile */
  const isTakenBackUntil = async (current: PendingErasure, time: number, summary: string): Promise<boolean> => {
    for (;;) {
      if (state.open !== current) return true;
      if (state.news) {
        state.news = false;
        const { state: found } = await readErasure({ erasureId: current.erasureId });
        if (found === 'CANCELLED') return true;
      }
      if (time <= now()) return false;
      await condition(() => state.news || state.open !== current, time - now(), { summary });
    }
  };

  /** @returns whether the account is closed for good */
  const closeAccount = async (current: PendingErasure): Promise<boolean> => {
    for (;;) {
      const started = await startErasing({ erasureId: current.erasureId });
      if (started.outcome !== 'held') return started.outcome === 'erasing';
      setCurrentDetails(`Held: ${started.why}. It is looked at again every day.`);
      if (await isTakenBackUntil(current, now() + DAY_MS, 'Still held?')) return false;
    }
  };

  /** @returns whether it came to the end of the grace */
  const waitOut = async (current: PendingErasure): Promise<boolean> => {
    const { erasureId } = current;
    mails.start({ erasureId, message: 'requested' });
    if (await isTakenBackUntil(current, reminderOf(current), 'Reminder')) return false;
    mails.start({ erasureId, message: 'reminder' });
    if (await isTakenBackUntil(current, current.eraseAt, 'End of the grace')) return false;
    return closeAccount(current);
  };

  const erase = async ({ erasureId }: PendingErasure): Promise<void> => {
    setCurrentDetails('The account is closed. Telling its owner for the last time.');
    // While there still is an address; whoever cannot be told is erased all the same.
    await sendErasureMail({ erasureId, message: 'erasing' }).catch(() => undefined);
    setCurrentDetails('Forgetting what workflows hold.');
    await forgetHistories({ userId });
    setCurrentDetails('Forgetting what the queue holds.');
    await forgetJobs({ userId });
    setCurrentDetails('Destroying the secret, dropping the rows.');
    await eraseAccount({ erasureId, userId });
  };

  const settle = async (result: AccountErasureResult): Promise<AccountErasureResult> => {
    state.settling = true;
    mails.cancel();
    await condition(allHandlersFinished);
    setCurrentDetails(ENDINGS[result]);
    upsertSearchAttributes([{ key: SEARCH_ATTRIBUTES.accountErasureStatus, value: result.toLowerCase() }]);
    return result;
  };

  /** Whoever starts it begins an erasure in the same call. */
  const run = async (): Promise<AccountErasureResult> => {
    await condition(() => state.begun > 0 && state.answered === state.begun);
    while (state.open !== undefined) {
      const current: PendingErasure = state.open;
      if (await waitOut(current)) {
        await erase(current);
        return settle('COMPLETED');
      }
      await sendErasureMail({ erasureId: current.erasureId, message: 'cancelled' }).catch(() => undefined);
      if (state.open === current) return settle('CANCELLED');
    }
    return settle('REFUSED');
  };

  // An operator's cancellation is none of its owner's: only the owner takes it back.
  return CancellationScope.nonCancellable(run);
}
