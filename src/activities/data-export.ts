import type { DataExportInput } from '../contracts/data-export-workflow';
import type { Mailer } from '../mail/mailer';
import type { DataExportRepository } from '../repositories/data-export-repository';
import type { UserRepository } from '../repositories/user-repository';

import { sending } from './sending';

/** The steps of an export. Each may run twice without harm, and nothing of what it holds leaves the database. */
export const createDataExportActivities = ({ exports }: { readonly exports: DataExportRepository }) => ({
  /** @returns until when it can be downloaded, milliseconds since 1970; null where nobody asked for it (any more) */
  async collectExport({ exportId, userId, expiresInMs }: DataExportInput): Promise<{ expiresAt: number | null }> {
    const collected = await exports.collect({ exportId, userId }, expiresInMs);
    return { expiresAt: collected?.expiresAt.getTime() ?? null };
  },

  expireExport: ({ exportId }: Pick<DataExportInput, 'exportId'>): Promise<void> => exports.expire(exportId),
});
export type DataExportActivities = ReturnType<typeof createDataExportActivities>;

interface MailDependencies {
  readonly exports: Pick<DataExportRepository, 'find'>;
  readonly users: Pick<UserRepository, 'findById'>;
  readonly mailer: Pick<Mailer, 'sendDataExported'>;
}

/** The mail of an export, on the `email` task queue. */
export const createDataExportMailActivities = ({ exports, users, mailer }: MailDependencies) => ({
  async sendDataExportedMail({ exportId, userId }: Omit<DataExportInput, 'expiresInMs'>): Promise<void> {
    const found = await exports.find({ exportId, userId });
    const user = await users.findById(userId);
    if (found?.status !== 'READY' || found.expiresAt === null || user === undefined) return;
    const mail = { exportId, to: user.email, locale: user.locale, expiresAt: found.expiresAt };
    await sending('MAIL_REJECTED', () => mailer.sendDataExported(mail));
  },
});
export type DataExportMailActivities = ReturnType<typeof createDataExportMailActivities>;
