import { z } from 'zod';

import { localeSchema } from './locale';

/** The BullMQ queue of everything that may be sent and forgotten. (A queue's name may not hold `:`; a job's name may.) */
export const NOTIFICATIONS_QUEUE = 'notifications';

/**
 * Payload of the job that a verified registration enqueues. BullMQ stores it as clear text, so it holds what the
 * welcome mail needs and no other personal data; an unknown field is refused.
 */
export const userRegisteredSchema = z.strictObject({
  userId: z.uuid(),
  email: z.email().max(254),
  locale: localeSchema,
});
export type UserRegisteredJob = z.output<typeof userRegisteredSchema>;

/** What every other notice holds: whom to tell, and the event it tells of. */
const noticeSchema = userRegisteredSchema.extend({ eventId: z.uuid() });

/**
 * Notices besides the welcome, by the name of their job. A new one is a line here: the compiler then asks for whoever
 * sends it (`NoticeHandlers`), and the producer and its job id need nothing more. Stored as clear text, as above.
 */
export const NOTICES = {
  'password:changed': noticeSchema,
  'mfa:enabled': noticeSchema,
  'mfa:disabled': noticeSchema,
  'mfa:recovery-code-used': noticeSchema,
  'passkey:suspected': noticeSchema,
  'mfa:recovery-cancelled': noticeSchema,
  'phone:changed': noticeSchema,
  'phone:released': noticeSchema,
  'session:new-device': noticeSchema,
  'session:reuse-detected': noticeSchema,
} as const satisfies Record<string, z.ZodType<z.output<typeof noticeSchema>>>;
export type NoticeName = keyof typeof NOTICES;
export type Notice<Name extends NoticeName = NoticeName> = z.output<(typeof NOTICES)[Name]>;

/** What a notice tells of, before the address is looked up: ids only. */
export interface NoticeEvent {
  readonly name: NoticeName;
  readonly eventId: string;
  readonly userId: string;
}

/** Whoever carries out each notice. Must be idempotent by `eventId`: a job runs again when its consumer died. */
export type NoticeHandlers = { readonly [Name in NoticeName]: (notice: Notice<Name>) => Promise<unknown> };

export const isNoticeName = (name: string): name is NoticeName => Object.hasOwn(NOTICES, name);

/** `password-changed-<event id>`: one job per event, however often it is enqueued. */
export const noticeJobId = (name: NoticeName, eventId: string): string => `${name.replaceAll(':', '-')}-${eventId}`;

/** One id per account: a second enqueue of the same registration meets the first job instead of making another. */
export const userRegisteredJobId = (userId: string): string => `user-registered-${userId}`;

/**
 * A job is tried 8 times: the retries come 10, 20, 40 ... 640 s after each other, less up to half of that at random so
 * that jobs that failed together do not come back together. That rides out an outage of 11 to 21 minutes; after it the
 * job is a dead letter, which an operator retries (see the queue's `dead-letters`).
 */
export const NOTIFICATION_JOB_ATTEMPTS = 8;
export const NOTIFICATION_JOB_BACKOFF = { type: 'exponential', delay: 10_000, jitter: 0.5 } as const;
