const TIMEOUT_MS = 15_000;

/** `fetch` whose failure names the address and the cause: its own message is "fetch failed". */
export const reach = async (url: string, init: RequestInit = {}): Promise<Response> => {
  try {
    return await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS), ...init });
  } catch (error) {
    const { cause, message } = error as Error & { readonly cause?: NodeJS.ErrnoException };
    throw new Error(`expected ${url} to answer, got: ${cause?.code ?? message}`, { cause: error });
  }
};
