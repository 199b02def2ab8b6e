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

import type { ContactChangeActivities } from '../activities/contact-change';
import {
  CONTACT_NOTICE_WORKFLOW,
  type ContactAttemptOutcome,
  type ContactChangeInput,
  type ContactChangeResult,
  contactConfirmUpdate,
  type ContactNoticeInput,
  contactRequestUpdate,
  type OpenContactChange,
} from '../contracts/contact-change-workflow';
import { SEARCH_ATTRIBUTES } from '../contracts/search-attributes';

import { databaseActivities } from './activity-options';
import { sendContactMessage } from './contact-messages';
import { createSending } from './sending';
import { now } from './workflow-clock';

const database = databaseActivities<ContactChangeActivities>();
const { createContactChange } = database('Store the code that was asked for, if the limits allow it');
const { confirmContactChange } = database('Try the code; if it is right, change the contact');
const { closeContactChange } = database('Drop the contact that was kept for this change');

/** In a workflow of its own, which this one does not wait for. */
const tell = async (kind: 'requested' | 'changed', notice: ContactNoticeInput): Promise<void> => {
  await startChild(CONTACT_NOTICE_WORKFLOW, {
    workflowId: `contact-${kind}/${notice.changeId}`,
    args: [notice],
    parentClosePolicy: ParentClosePolicy.ABANDON,
    staticSummary: kind === 'changed' ? 'People are told of a change' : 'The old address is told of a request',
  });
};

type Changed = Extract<ContactAttemptOutcome, { outcome: 'changed' }>;

/** What the handlers and the waiting tell each other. */
interface State {
  open?: OpenContactChange;
  /** Requests that have come and those among them that are answered. */
  requests: number;
  answered: number;
  settling: boolean;
  /** The change that was completed, and how. */
  done?: { readonly changeId: string; readonly result: Changed };
}

/**
 * A person gives the account another phone or e-mail address. One workflow for each account and channel; who asks again meanwhile is
 * heard by it, and only the newest code works. Ends with the new contact (`completed`), or with nothing changed (`expired`). For a
 * contact that somebody else has it takes the same steps.
 */
export async function contactChange({
  channel,
  userId,
  expiresInMs,
}: ContactChangeInput): Promise<ContactChangeResult> {
  const { workflowId } = workflowInfo();
  const codes = createSending<string>((changeId) => sendContactMessage(channel, changeId, 'code'), {
    sent: () => 'The code is on its way. Waiting for it.',
    refused: () => 'The code was refused for good. Waiting for another request.',
  });
  const state: State = { requests: 0, answered: 0, settling: false };
  const isDone = (): boolean => state.done !== undefined;

  const adopt = async (issued: OpenContactChange): Promise<void> => {
    // An older request that was delivered late must not take the place of a newer one, and a repeated one sends nothing anew.
    if (state.open !== undefined && issued.issuedAt <= state.open.issuedAt) return;
    state.open = issued;
    setCurrentDetails('Stored. Sending the code.');
    codes.start(issued.changeId);
    if (channel === 'email')
      await tell('requested', {
        channel,
        changeId: issued.changeId,
        messages: ['requested'],
        owners: [],
        isLast: false,
      });
  };

  setHandler(contactRequestUpdate, async (request) => {
    if (state.settling) return { outcome: 'ending' };
    state.requests += 1;
    try {
      const result = await createContactChange({ ...request, channel, userId, workflowId, expiresInMs });
      if (result.outcome === 'issued') {
        const { changeId, issuedAt, expiresAt } = result;
        await adopt({ changeId, issuedAt, expiresAt });
      }
      return result;
    } finally {
      state.answered += 1;
    }
  });

  setHandler(contactConfirmUpdate, async (attempt) => {
    await condition(() => state.open !== undefined || state.settling);
    const { open, done } = state;
    if (open === undefined) return { outcome: 'invalid_code' };
    const { changeId } = done ?? open;
    // Once begun it is finished: a cancelled workflow must know whether there is a new contact.
    const result = await CancellationScope.nonCancellable(() => confirmContactChange({ ...attempt, changeId }));
    if (result.outcome === 'changed') state.done = { changeId, result };
    else if (result.outcome === 'too_many_attempts')
      setCurrentDetails('Too many wrong codes. Waiting for another request.');
    return result;
  });

  const waitForCode = async (): Promise<void> => {
    setCurrentDetails('Storing the change.');
    for (;;) {
      await condition(() => state.requests > 0 && state.answered === state.requests);
      const { open } = state;
      if (isDone() || open === undefined || open.expiresAt <= now()) return;
      const hasNews = () => isDone() || state.requests > state.answered || state.open !== open;
      await condition(hasNews, open.expiresAt - now(), { summary: 'Expiry of the code' });
    }
  };

  const settle = async (): Promise<void> => {
    state.settling = true;
    codes.cancel();
    await condition(allHandlersFinished);
    const { done, open } = state;
    if (done !== undefined) {
      await tell('changed', noticeOf(done));
      setCurrentDetails('Completed: the contact is changed, and everybody is being told.');
    } else {
      if (open !== undefined) await closeContactChange({ changeId: open.changeId });
      setCurrentDetails('Ended without the right code: nothing was changed.');
    }
    const status = done === undefined ? 'expired' : 'completed';
    upsertSearchAttributes([{ key: SEARCH_ATTRIBUTES.contactChangeStatus, value: status }]);
    await condition(allHandlersFinished);
  };

  const noticeOf = ({ changeId, result }: NonNullable<State['done']>): ContactNoticeInput => {
    const { differs, hadPrevious, releasedUserId } = result;
    return {
      channel,
      changeId,
      messages: [...(differs ? (['changed_new'] as const) : []), ...(hadPrevious ? (['changed_old'] as const) : [])],
      owners: [
        ...(differs && channel === 'phone' ? [{ name: 'phone:changed', userId } as const] : []),
        ...(releasedUserId === undefined ? [] : [{ name: 'phone:released', userId: releasedUserId } as const]),
      ],
      isLast: true,
    };
  };

  try {
    await waitForCode();
  } finally {
    await CancellationScope.nonCancellable(settle);
  }
  return isDone() ? 'completed' : 'expired';
}
