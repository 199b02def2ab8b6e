/** One server-sent event; `data` parsed. */
export interface ServerSentEvent {
  readonly id: string | undefined;
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface EventReader {
  readonly response: Response;
  /** All so far. */
  readonly seen: readonly ServerSentEvent[];
  /** What to resume after, whether an event came with it or not. */
  readonly lastEventId: () => string | undefined;
  /** The next event of this type, and of this session, that was not asked for before. Rejects when the stream ends without one. */
  next(type: string, sessionId?: string): Promise<ServerSentEvent>;
  /** Settles when the server ends the stream. */
  readonly ended: Promise<void>;
  close(): void;
}

const fieldsOf = (block: string): Readonly<Record<string, string>> => {
  const fields: Record<string, string> = {};
  for (const line of block.split('\n')) {
    const [, name = '', value = ''] = /^(\w*): ?(.*)$/.exec(line) ?? [];
    if (name !== '') fields[name] = value;
  }
  return fields;
};

const parse = (fields: Readonly<Record<string, string>>): ServerSentEvent | undefined => {
  if (fields['data'] === undefined) return undefined;
  const data = JSON.parse(fields['data']) as Record<string, unknown>;
  return { id: fields['id'], event: fields['event'] ?? 'message', data };
};

/** Opens the stream of events, as a client of the service would. @throws when it is refused */
export const openEvents = async (url: string, token: string, lastEventId?: string): Promise<EventReader> => {
  const controller = new AbortController();
  const response = await fetch(`${url}/v1/users/me/events`, {
    headers: {
      authorization: `Bearer ${token}`,
      ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
    },
    signal: controller.signal,
  });
  if (response.status !== 200 || response.body === null) throw new Error(`refused with ${String(response.status)}`);
  const seen: ServerSentEvent[] = [];
  const taken = new Set<ServerSentEvent>();
  let isOver = false;
  let lastId: string | undefined;
  let notify: () => void = () => undefined;
  const change = () =>
    new Promise<void>((resolve) => {
      notify = resolve;
    });
  let changed = change();

  const read = async (body: ReadableStream<Uint8Array>): Promise<void> => {
    let text = '';
    const decoder = new TextDecoder();
    for await (const chunk of body) {
      text += decoder.decode(chunk, { stream: true });
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      const all = blocks.map(fieldsOf);
      lastId = all.findLast(({ id }) => id !== undefined)?.['id'] ?? lastId;
      seen.push(...all.map(parse).filter((event) => event !== undefined));
      notify();
      changed = change();
    }
  };
  const ended = read(response.body)
    .catch(() => undefined)
    .finally(() => {
      isOver = true;
      notify();
    });

  return {
    response,
    seen,
    lastEventId: () => lastId,
    ended,
    async next(type, sessionId) {
      for (;;) {
        const found = seen.find(
          (event) =>
            event.event === type &&
            !taken.has(event) &&
            (sessionId === undefined || event.data['sessionId'] === sessionId),
        );
        if (found !== undefined) {
          taken.add(found);
          return found;
        }
        if (isOver) throw new Error(`the stream ended without ${type}`);
        await changed;
      }
    },
    close: () => {
      controller.abort();
    },
  };
};
