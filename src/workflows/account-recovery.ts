import {
  allHandlersFinished,
  CancellationScope,
  condition,
  ParentClosePolicy,
  setCurrentDetails,
  setHandler,
  startChild,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';

import type { AccountActivities } from '../activities/account';
import type { AccountRecoveryActivities } from '../activities/account-recovery';
import {
  type AccountRecoveryInput,
  type AccountRecoveryResult,
  beginRecoveryUpdate,
  completeRecoveryUpdate,
  decideRecoveryUpdate,
  type OpenRecovery,
  RECOVERY_NOTICE_WORKFLOW,
  recoveryChangedSignal,
  type RecoveryMessage,
  type RecoveryNotice,
} from '../contracts/account-recovery-workflow';
import { SEARCH_ATTRIBUTES } from '../contracts/search-attributes';

import { databaseActivities } from './activity-options';
import { now } from './workflow-clock';

const database = databaseActivities<AccountRecoveryActivities>();
const { createRecovery } = database('Store the recovery, if its time has come');
const { readRecovery } = database('Look whether its owner has cancelled it');
const { decideRecovery } = database('Record what support decides');
const { readyRecovery } = database('Waited and approved? Then make its token');
const { completeRecovery } = database('Remove every factor and end every session');
const { expireRecovery } = database('Close it: nothing has changed');

const { enqueueNotice } = databaseActivities<AccountActivities>()('Enqueue the notice that the factors are off');

const HOUR_MS = 3_600_000;
const LAST_REMINDER_MS = 24 * HOUR_MS;

/** Half-way and a day before the end, where these are some time apart. */
const remindersOf = ({ requestedAt, availableAt }: OpenRecovery): number[] => {
  const half = requestedAt + (availableAt - requestedAt) / 2;
  const last = availableAt - LAST_REMINDER_MS;
  return last > half + HOUR_MS ? [half, last] : [half];
};

const ENDINGS: Readonly<Record<AccountRecoveryResult, string>> = {
  COMPLETED: 'Completed: every factor is removed, every session has ended, the owner is told.',
  CANCELLED: 'Cancelled by its owner: nothing has changed.',
  DENIED: 'Denied by support: nothing has changed.',
  EXPIRED: 'Expired: nothing has changed.',
  REFUSED: 'Not begun: it is too early for another one.',
};
const MESSAGES: Readonly<Partial<Record<AccountRecoveryResult, RecoveryMessage>>> = {
  COMPLETED: 'completed',
  CANCELLED: 'cancelled',
  DENIED: 'denied',
  EXPIRED: 'expired',
};

/** In a workflow of its own, which this one does not wait for: a gateway that is away must not hold it up. */
const tell = async (recoveryId: string, message: RecoveryMessage): Promise<void> => {
  await startChild(RECOVERY_NOTICE_WORKFLOW, {
    workflowId: `recovery-notice/${recoveryId}/${message}`,
    args: [{ recoveryId, message } satisfies RecoveryNotice],
    parentClosePolicy: ParentClosePolicy.ABANDON,
    staticSummary: `The owner is told: ${message}`,
  });
};

/** What the handlers and the waiting tell each other. */
interface State {
  open?: OpenRecovery;
  /** Begins that have come and those among them that are answered. */
  begun: number;
  answered: number;
  /** Something has happened that the database knows. */
  news: boolean;
  settling: boolean;
  result?: AccountRecoveryResult;
}

/**
 * A person has lost every second factor. The password is proven; the owner has a waiting period to object, told by every channel;
 * support has to approve; then the mailed token and the password remove every factor. Ends with that, or with nothing changed. What
 * the owner cancels is cancelled in the database at once, whether or not this workflow is awake, and every step looks there.
 */
export async function accountRecovery(input: AccountRecoveryInput): Promise<AccountRecoveryResult> {
  const { userId, waitMs, approvalMs, completionMs } = input;
  const { workflowId } = workflowInfo();
  const state: State = { begun: 0, answered: 0, news: false, settling: false };

  setHandler(recoveryChangedSignal, () => {
    state.news = true;
  });
  setHandler(beginRecoveryUpdate, async (begin) => {
    if (state.settling || state.result !== undefined) return { outcome: 'ending' };
    state.begun += 1;
    try {
      const result = await CancellationScope.nonCancellable(() =>
        createRecovery({ ...begin, userId, workflowId, waitMs, at: now() }),
      );
      if (result.outcome === 'open' && state.open?.recoveryId !== result.recoveryId) state.open = result;
      return result;
    } finally {
      state.answered += 1;
    }
  });
  setHandler(decideRecoveryUpdate, async (decision) => {
    const result = await CancellationScope.nonCancellable(() => decideRecovery({ ...decision, at: now() }));
    state.news = true;
    return result;
  });
  setHandler(completeRecoveryUpdate, async (completion) => {
    const result = await CancellationScope.nonCancellable(() => completeRecovery({ ...completion, at: now() }));
    state.news = true;
    return result;
  });

  /** Waits for a time. @returns how it ended meanwhile, if it did */
  const until = async (current: OpenRecovery, time: number, summary: string) => {
    for (;;) {
      if (state.open !== current) return 'CANCELLED';
      if (state.news) {
        state.news = false;
        const { state: found } = await readRecovery({ recoveryId: current.recoveryId });
        if (found !== 'WAITING' && found !== 'READY') return found;
      }
      if (time <= now()) return undefined;
      await condition(() => state.news || state.open !== current, time - now(), { summary });
    }
  };

  const expire = async ({ recoveryId }: OpenRecovery): Promise<AccountRecoveryResult> =>
    (await expireRecovery({ recoveryId, at: now() })).state;

  /** The waiting period, with its reminders. */
  const waitOut = async (current: OpenRecovery): Promise<AccountRecoveryResult | undefined> => {
    setCurrentDetails('Waiting for the owner to object, and for the approval of support.');
    await tell(current.recoveryId, 'requested');
    const times = remindersOf(current);
    for (const [index, time] of times.entries()) {
      if (time <= now()) continue;
      const ended = await until(current, time, 'Reminder');
      if (ended !== undefined) return ended;
      await tell(current.recoveryId, index === 0 ? 'reminder-1' : 'reminder-2');
    }
    return until(current, current.availableAt, 'End of the waiting period');
  };

  /** The approval, which may have come before. @returns until when the token works, or how it ended */
  const waitForApproval = async (current: OpenRecovery): Promise<number | AccountRecoveryResult> => {
    const { recoveryId, availableAt } = current;
    const deadline = availableAt + approvalMs;
    for (;;) {
      const ready = await readyRecovery({ recoveryId, at: now(), completionMs });
      if (ready.outcome === 'ready') return ready.expiresAt;
      if (ready.outcome === 'closed') return ready.state;
      setCurrentDetails('The waiting period is over. Waiting for the approval of support.');
      const hasNews = () => state.news || state.open !== current;
      if (!(await condition(hasNews, Math.max(1, deadline - now()), { summary: 'Nobody has approved' })))
        return expire(current);
      if (state.open !== current) return 'CANCELLED';
      state.news = false;
    }
  };

  const run = async (current: OpenRecovery): Promise<AccountRecoveryResult> => {
    const ended = await waitOut(current);
    if (ended !== undefined) return ended;
    const ready = await waitForApproval(current);
    if (typeof ready !== 'number') return ready;
    setCurrentDetails('Waited and approved. Waiting for the mailed token and the password.');
    await tell(current.recoveryId, 'ready');
    return (await until(current, ready, 'Expiry of the token')) ?? expire(current);
  };

  const settle = async (): Promise<AccountRecoveryResult> => {
    state.settling = true;
    await condition(allHandlersFinished);
    const { open } = state;
    const result = open === undefined ? 'REFUSED' : (state.result ?? (await expire(open)));
    const message = MESSAGES[result];
    if (open !== undefined && result === 'COMPLETED')
      await enqueueNotice({ name: 'mfa:disabled', eventId: open.recoveryId, userId });
    if (open !== undefined && message !== undefined) await tell(open.recoveryId, message);
    setCurrentDetails(ENDINGS[result]);
    upsertSearchAttributes([{ key: SEARCH_ATTRIBUTES.accountRecoveryStatus, value: result.toLowerCase() }]);
    await condition(allHandlersFinished);
    return result;
  };

  try {
    // Whoever starts it begins a recovery in the same call.
    await condition(() => state.begun > 0 && state.answered === state.begun);
    while (state.open !== undefined && state.result === undefined) {
      const current: OpenRecovery = state.open;
      const result = await run(current);
      // One that was begun after its owner had cancelled the one before takes its place.
      if (state.open === current) state.result = result;
      else await tell(current.recoveryId, 'cancelled');
    }
  } catch (error) {
    await CancellationScope.nonCancellable(settle);
    throw error;
  }
  return CancellationScope.nonCancellable(settle);
}
