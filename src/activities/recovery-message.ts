import type { RecoveryMessage, RecoveryNotice } from '../contracts/account-recovery-workflow';
import type { RecoveryTokens } from '../crypto/recovery-token';
import type { Mailer } from '../mail/mailer';
import type { AccountRecoveryRepository, RecoveryForMessage } from '../repositories/account-recovery-repository';
import type { UserRepository } from '../repositories/user-repository';
import type { SmsMessenger } from '../sms/messenger';

import { sending } from './sending';

interface Finding {
  readonly recoveries: Pick<AccountRecoveryRepository, 'findForMessage'>;
  readonly users: Pick<UserRepository, 'findById'>;
}
interface MailDependencies extends Finding {
  readonly mailer: Pick<Mailer, 'sendRecoveryRequested' | 'sendRecoveryReady' | 'sendRecoveryEnded'>;
  readonly recoveryTokens: Pick<RecoveryTokens, 'cancelToken' | 'completionToken'>;
  /** The pages that links in the mails open. */
  readonly cancelUrl: string;
  readonly completeUrl: string;
}
interface SmsDependencies extends Finding {
  readonly sms: SmsMessenger;
}

/** What a message is true of; a reminder of what is over is not sent. */
const STATES: Readonly<Record<RecoveryMessage, RecoveryForMessage['state']>> = {
  requested: 'WAITING',
  'reminder-1': 'WAITING',
  'reminder-2': 'WAITING',
  ready: 'READY',
  completed: 'COMPLETED',
  cancelled: 'CANCELLED',
  denied: 'DENIED',
  expired: 'EXPIRED',
};

const createFind =
  ({ recoveries, users }: Finding) =>
  async ({ recoveryId, message }: RecoveryNotice) => {
    const recovery = await recoveries.findForMessage(recoveryId);
    const user = recovery && (await users.findById(recovery.userId));
    return recovery?.state === STATES[message] && user !== undefined ? { recovery, user } : undefined;
  };

/** The mails of a recovery, on the `email` task queue. Each goes out once; that it was cancelled or completed is told by the queue. */
export const createRecoveryMailActivities = (deps: MailDependencies) => {
  const { mailer, recoveryTokens, cancelUrl, completeUrl } = deps;
  const find = createFind(deps);
  return {
    async sendRecoveryMail({ recoveryId, message }: RecoveryNotice): Promise<void> {
      const found = await find({ recoveryId, message });
      if (found === undefined) return;
      const { recovery, user } = found;
      const mail = { recoveryId, message, to: user.email, locale: user.locale };
      // In the fragment: it reaches no server log, and a scanner that opens the link does nothing.
      const cancelLink = `${cancelUrl}#token=${recoveryTokens.cancelToken(recoveryId)}`;
      await sending('MAIL_REJECTED', async () => {
        if (message === 'requested' || message === 'reminder-1' || message === 'reminder-2')
          await mailer.sendRecoveryRequested({ ...mail, cancelLink, availableAt: recovery.availableAt });
        else if (message === 'ready' && recovery.tokenExpiresAt !== null) {
          const link = `${completeUrl}#token=${recoveryTokens.completionToken(recoveryId)}`;
          await mailer.sendRecoveryReady({ ...mail, link, cancelLink, expiresAt: recovery.tokenExpiresAt });
        } else if (message === 'denied' || message === 'expired') await mailer.sendRecoveryEnded(mail);
      });
    },
  };
};
export type RecoveryMailActivities = ReturnType<typeof createRecoveryMailActivities>;

const SMS_OF = {
  requested: 'recovery-requested',
  'reminder-1': 'recovery-requested',
  'reminder-2': 'recovery-requested',
  ready: 'recovery-ready',
  completed: 'recovery-completed',
  cancelled: 'recovery-ended',
  denied: 'recovery-ended',
  expired: 'recovery-ended',
} as const satisfies Record<RecoveryMessage, string>;

/** The SMS to a phone that was proven, likewise. */
export const createRecoverySmsActivities = (deps: SmsDependencies) => {
  const find = createFind(deps);
  return {
    async sendRecoverySms({ recoveryId, message }: RecoveryNotice): Promise<void> {
      const found = await find({ recoveryId, message });
      if (found?.user.phone == null || found.user.phoneVerifiedAt === null) return;
      const { phone: to, locale } = found.user;
      const [key, text] = [`recovery-sms/${recoveryId}/${message}`, SMS_OF[message]];
      await sending('SMS_REJECTED', () => deps.sms.send({ key, to, locale, text, params: undefined }));
    },
  };
};
export type RecoverySmsActivities = ReturnType<typeof createRecoverySmsActivities>;
