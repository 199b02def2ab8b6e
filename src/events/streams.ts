/** An entry of a stream: `id` orders it, fields as they were added. */
export interface StreamEntry {
  readonly id: string;
  readonly fields: Readonly<Record<string, string>>;
}

/** As ioredis gives an entry: id, and names and values in turn. */
export type RawEntry = readonly [id: string, flat: readonly string[]];

export const toEntry = ([id, flat]: RawEntry): StreamEntry => {
  const fields: Record<string, string> = {};
  for (let index = 0; index + 1 < flat.length; index += 2) fields[flat[index] ?? ''] = flat[index + 1] ?? '';
  return { id, fields };
};

/** Ids are `<sequence of the audit event>-<place within it>`. Negative where `one` comes first. */
export const compareIds = (one: string, other: string): number => {
  const [[a = '0', b = '0'], [c = '0', d = '0']] = [one.split('-'), other.split('-')];
  const difference = BigInt(a) - BigInt(c) || BigInt(b) - BigInt(d);
  return difference < 0n ? -1 : Number(difference > 0n);
};

/** Names of the keys. They and their values hold ids and names of events only: nothing that tells who somebody is. */
export const createStreamKeys = (prefix: string) => ({
  /** What happens to anybody, for the processes that tell people of it. */
  events: `${prefix}:events`,
  /** What happened to one person, to resume after. */
  eventsOf: (userId: string) => `${prefix}:events:${userId}`,
  revocations: `${prefix}:revocations`,
  /** Sequence of the last event of the audit trail that the streams know of. */
  position: `${prefix}:events-position`,
  /** Holds an entry once there is something new to fill them with. */
  wake: `${prefix}:events-wake`,
  /** Which process fills the streams. */
  lease: `${prefix}:events-lease`,
});
export type StreamKeys = ReturnType<typeof createStreamKeys>;
