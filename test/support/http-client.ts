export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // Tests look into whatever came back; its form is what they check.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly body: any;
}

export interface RequestOptions {
  readonly body?: unknown;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Sends JSON and reads JSON, as a client of the service would. */
export const createHttpClient = (baseUrl: string) => {
  const send = async (method: string, path: string, { body, token, headers }: RequestOptions = {}): Promise<Answer> => {
    const response = await fetch(`${baseUrl}${path}`, {
      method,
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    // It has no end.
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
    if (isStream) await response.body?.cancel();
    const text = isStream ? '' : await response.text();
    return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) };
  };
  return {
    get: (path: string, options?: RequestOptions) => send('GET', path, options),
    post: (path: string, body?: unknown, options?: RequestOptions) =>
      send('POST', path, { ...options, ...(body !== undefined && { body }) }),
    send,
  };
};
export type HttpClient = ReturnType<typeof createHttpClient>;
