import { createHash, randomBytes } from 'node:crypto';

import { z } from 'zod';

import type { RootKey } from '../contracts/keys';
import { open, seal } from '../crypto/aead';

const FORMAT = 'meqenet-auth-key-store';
const VERSION = 1;
const KEY_BYTES = 32;
const PURPOSE = 'key-store-backup';
/** Begins each line after the header. */
const [MORE, END] = ['+', '.'];

const headerSchema = z.object({
  format: z.literal(FORMAT),
  version: z.number(),
  /** Of the key that seals this file; it is in use nowhere else. */
  id: z.string(),
  createdAt: z.iso.datetime(),
  /** That key, under the root key. */
  wrapped: z.string(),
});
export type SealedHeader = z.output<typeof headerSchema>;

/** The file is none of ours, of another version, cut short or altered. */
export class SealedRecordsError extends Error {
  constructor(
    readonly reason: 'not_ours' | 'unknown_version' | 'altered' | 'cut_short',
    message: string,
  ) {
    super(message);
    this.name = 'SealedRecordsError';
  }
}

/** Binds a line to its file, its place and whether it is the last: none can be moved, left out or taken from another file. */
const createPlaces = (headerLine: string) => {
  const file = createHash('sha256').update(headerLine).digest('hex');
  return (index: number, kind: string): string => JSON.stringify([FORMAT, VERSION, file, index, kind]);
};

/**
 * Seals records as lines of text: a header in JSON, then each record as `+` and the last one as `.`, with base64 of its JSON under
 * AES-256-GCM. The key is made for this file alone and wrapped by the root key, so the file is of no use without it.
 *
 * @param last what the last line holds
 */
export async function* sealRecords(
  rootKey: RootKey,
  now: Date,
  records: AsyncIterable<unknown>,
  last: () => unknown,
): AsyncGenerator<string> {
  const key = randomBytes(KEY_BYTES);
  const id = `key-store-${now.toISOString().slice(0, 10).replaceAll('-', '')}-${randomBytes(4).toString('hex')}`;
  const wrapped = await rootKey.wrap(key, { id, purpose: PURPOSE });
  const header: SealedHeader = { format: FORMAT, version: VERSION, id, createdAt: now.toISOString(), wrapped };
  const headerLine = JSON.stringify(header);
  const placeOf = createPlaces(headerLine);
  const toLine = (index: number, kind: string, record: unknown): string =>
    `${kind}${seal(key, Buffer.from(JSON.stringify(record), 'utf8'), placeOf(index, kind)).toString('base64')}\n`;

  yield `${headerLine}\n`;
  let index = 0;
  for await (const record of records) {
    yield toLine(index, MORE, record);
    index += 1;
  }
  yield toLine(index, END, last());
}

const readHeader = (line: string): SealedHeader => {
  let header: unknown;
  try {
    header = JSON.parse(line);
  } catch {
    header = undefined;
  }
  const parsed = headerSchema.safeParse(header);
  if (!parsed.success) throw new SealedRecordsError('not_ours', 'This file is no backup of a key store');
  if (parsed.data.version === VERSION) return parsed.data;
  throw new SealedRecordsError(
    'unknown_version',
    `Version ${String(parsed.data.version)} of this file is not known here`,
  );
};

/** One line after the header. */
export interface OpenedRecord {
  readonly isLast: boolean;
  readonly record: unknown;
}

/**
 * Opens what `sealRecords` made, line by line. Do nothing for good before the end: only there is it known that the file is whole.
 *
 * @throws {SealedRecordsError}
 * @throws {RootKeyError} when the file belongs to another root key
 */
export async function* openRecords(
  rootKey: RootKey,
  lines: AsyncIterable<string>,
  onHeader: (header: SealedHeader) => void,
): AsyncGenerator<OpenedRecord> {
  let opened: { readonly key: Buffer; readonly placeOf: ReturnType<typeof createPlaces> } | undefined;
  let index = 0;
  let ended = false;
  for await (const line of lines) {
    if (opened === undefined) {
      const header = readHeader(line);
      onHeader(header);
      const key = await rootKey.unwrap(header.wrapped, { id: header.id, purpose: PURPOSE });
      opened = { key, placeOf: createPlaces(line) };
      continue;
    }
    const kind = line.slice(0, 1);
    if (ended) throw new SealedRecordsError('altered', 'The file goes on after its end');
    ended = kind === END;
    yield { isLast: ended, record: openLine(opened.key, opened.placeOf(index, kind), line) };
    index += 1;
  }
  if (opened === undefined) throw new SealedRecordsError('not_ours', 'This file is empty');
  if (!ended) throw new SealedRecordsError('cut_short', 'The file is cut short');
}

const openLine = (key: Buffer, place: string, line: string): unknown => {
  try {
    return JSON.parse(open(key, Buffer.from(line.slice(1), 'base64'), place).toString('utf8'));
  } catch {
    throw new SealedRecordsError('altered', 'The file is not as it was written');
  }
};
