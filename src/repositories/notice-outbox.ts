import type { NoticeEvent, NoticeName } from '../contracts/notification-jobs';
import type { OutboxKey } from '../contracts/notice-workflow';

import type { Database } from './prisma-client';

/**
 * Notices that an act has committed and that nobody has enqueued yet. The act's own statement writes the row
 * (`insertNotice`); whoever has enqueued the notice removes it.
 */
export interface NoticeOutbox {
  /** Rows that were written before `writtenBefore`, in the order of their keys, after `after`. */
  listDue(query: { writtenBefore: Date; after?: OutboxKey | undefined; limit: number }): Promise<NoticeEvent[]>;
  remove(events: readonly OutboxKey[]): Promise<void>;
}

/**
 * An INSERT for the statement of the act, such as `noticed AS (${insertNotice('password:changed', …, 'changed')})`: no round
 * trip of its own, and the notice exists exactly if the act does.
 *
 * @param placeholders of the event's id, the account's id and the time of the act
 * @param onlyIf a relation without a row of which there is nothing to tell, such as the act's own CTE
 */
export const insertNotice = (
  name: NoticeName,
  { eventId, userId, now }: { eventId: string; userId: string; now: string },
  onlyIf: string,
): string => `
  INSERT INTO notice_outbox (event_id, name, user_id, created_at)
  SELECT ${eventId}::uuid, '${name}', ${userId}::uuid, ${now}::timestamptz WHERE EXISTS (SELECT 1 FROM ${onlyIf})`;

const LIST_DUE = {
  name: 'notice-outbox/list-due',
  text: `
    SELECT event_id, name, user_id FROM notice_outbox
    WHERE created_at < $1 AND (event_id, name) > ($2::uuid, $3) ORDER BY event_id, name LIMIT $4`,
};
const REMOVE = {
  name: 'notice-outbox/remove',
  text: `
    DELETE FROM notice_outbox USING unnest($1::uuid[], $2::text[]) AS done (event_id, name)
    WHERE notice_outbox.event_id = done.event_id AND notice_outbox.name = done.name`,
};

/** Comes before every row. */
const START: OutboxKey = { eventId: '00000000-0000-0000-0000-000000000000', name: '' };

export const createNoticeOutbox = ({ sql }: Pick<Database, 'sql'>): NoticeOutbox => ({
  async listDue({ writtenBefore, after = START, limit }) {
    const values = [writtenBefore, after.eventId, after.name, limit];
    const rows = await sql<{ event_id: string; name: NoticeName; user_id: string }>(LIST_DUE, values);
    return rows.map((row) => ({ eventId: row.event_id, name: row.name, userId: row.user_id }));
  },

  async remove(events) {
    if (events.length === 0) return;
    await sql(REMOVE, [events.map(({ eventId }) => eventId), events.map(({ name }) => name)]);
  },
});
