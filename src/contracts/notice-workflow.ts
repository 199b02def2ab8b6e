export const NOTICE_WORKFLOW = 'notice';

/** A notice that must be enqueued; the address is looked up when it is. */
export interface NoticeInput {
  readonly name: 'password:changed' | 'phone:changed' | 'phone:released';
  readonly eventId: string;
  readonly userId: string;
}
