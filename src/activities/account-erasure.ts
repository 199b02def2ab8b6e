import { Context } from '@temporalio/activity';

import {
  accountErasureWorkflowId,
  type BeginErasureOutcome,
  type ErasureNotice,
  type ErasureState,
  type StartErasingOutcome,
} from '../contracts/account-erasure-workflow';
import type { Mailer } from '../mail/mailer';
import type { AccountErasureRepository, NewErasure } from '../repositories/account-erasure-repository';
import type { ErasingRepository } from '../repositories/erasing-repository';
import type { UserRepository } from '../repositories/user-repository';
import type { ForgetWorkflows } from '../temporal/forget-workflows';

import { sending } from './sending';

interface Dependencies {
  readonly erasures: AccountErasureRepository;
  readonly erasing: ErasingRepository;
  readonly forgetWorkflows: ForgetWorkflows;
  readonly queue: { forget(userId: string, onPage: () => void): Promise<{ active: boolean }> };
}
interface Erasure {
  readonly erasureId: string;
  readonly userId: string;
}

/** Visibility lags behind by up to so long, and a job is soon done. */
const LOOK_AGAIN_MS = 1_500;
/** Nothing is found so many times in a row: then there is nothing left. */
const QUIET_LOOKS = 2;

const beat = (): void => {
  Context.current().heartbeat();
};

/** The steps of an erasure. Each may run twice without harm. */
export const createAccountErasureActivities = ({ erasures, erasing, forgetWorkflows, queue }: Dependencies) => ({
  createErasure: (erasure: NewErasure): Promise<BeginErasureOutcome> => erasures.create(erasure),

  async readErasure({ erasureId }: Pick<Erasure, 'erasureId'>): Promise<{ state: ErasureState }> {
    return { state: (await erasures.find(erasureId))?.state ?? 'CANCELLED' };
  },

  startErasing: ({ erasureId }: Pick<Erasure, 'erasureId'>): Promise<StartErasingOutcome> =>
    erasures.startErasing(erasureId),

  /** Ends and deletes every other workflow of the person, with what Temporal knows of it. */
  async forgetHistories({ userId }: Pick<Erasure, 'userId'>): Promise<{ deleted: number }> {
    const traces = await erasing.findTraces(userId);
    const except = [accountErasureWorkflowId(userId)];
    let deleted = 0;
    for (let quiet = 0; quiet < QUIET_LOOKS;) {
      const found = await forgetWorkflows(userId, traces, { except, onDeleted: beat });
      deleted += found;
      quiet = found === 0 ? quiet + 1 : 0;
      beat();
      await Context.current().sleep(LOOK_AGAIN_MS);
    }
    return { deleted };
  },

  /** Removes what the queue holds in the clear. */
  async forgetJobs({ userId }: Pick<Erasure, 'userId'>): Promise<void> {
    while ((await queue.forget(userId, beat)).active) await Context.current().sleep(LOOK_AGAIN_MS);
  },

  eraseAccount: ({ erasureId, userId }: Erasure): Promise<void> =>
    erasing.erase({ erasureId, userId, workflowId: accountErasureWorkflowId(userId) }),
});
export type AccountErasureActivities = ReturnType<typeof createAccountErasureActivities>;

interface MailDependencies {
  readonly erasures: Pick<AccountErasureRepository, 'find'>;
  readonly users: Pick<UserRepository, 'findById'>;
  readonly mailer: Pick<Mailer, 'sendErasureRequested' | 'sendErasureCancelled' | 'sendErasing'>;
}

/** What a message is true of; a reminder of what was taken back is not sent. */
const STATES = { requested: 'PENDING', reminder: 'PENDING', cancelled: 'CANCELLED', erasing: 'ERASING' } as const;

/** The mails of an erasure, on the `email` task queue. Each goes out once. */
export const createErasureMailActivities = ({ erasures, users, mailer }: MailDependencies) => ({
  async sendErasureMail({ erasureId, message }: ErasureNotice): Promise<void> {
    const erasure = await erasures.find(erasureId);
    const user = erasure && (await users.findById(erasure.userId));
    if (user === undefined || erasure?.state !== STATES[message]) return;
    const mail = { erasureId, message, to: user.email, locale: user.locale };
    await sending('MAIL_REJECTED', async () => {
      if (message === 'cancelled') await mailer.sendErasureCancelled(mail);
      else if (message === 'erasing') await mailer.sendErasing(mail);
      else await mailer.sendErasureRequested({ ...mail, eraseAt: erasure.eraseAt });
    });
  },
});
export type ErasureMailActivities = ReturnType<typeof createErasureMailActivities>;
