import { reach } from './reach';

type Method = 'GET' | 'POST';

interface CallOptions {
  readonly body?: unknown;
  readonly accessToken?: string;
}

interface Answer {
  /** A field of the answer that must be there. */
  readonly text: (field: string) => string;
}

/** Enough of a problem document to see what is wrong. */
const SHOWN_CHARACTERS = 500;

/** Calls the service's API and insists on a status. */
export const apiCall =
  (apiUrl: string) =>
  async (method: Method, path: string, expectedStatus: number, options: CallOptions = {}): Promise<Answer> => {
    const response = await reach(`${apiUrl}${path}`, {
      method,
      headers: {
        ...(options.body !== undefined && { 'content-type': 'application/json' }),
        ...(options.accessToken !== undefined && { authorization: `Bearer ${options.accessToken}` }),
      },
      ...(options.body !== undefined && { body: JSON.stringify(options.body) }),
    });
    const answer = await response.text();
    if (response.status !== expectedStatus) {
      const came = `${String(response.status)} ${answer.slice(0, SHOWN_CHARACTERS)}`;
      throw new Error(`${method} ${path}: expected ${String(expectedStatus)}, got ${came}`);
    }
    const fields = JSON.parse(answer) as Readonly<Record<string, unknown>>;
    return {
      text: (field) => {
        const value = fields[field];
        if (typeof value === 'string') return value;
        throw new Error(
          `${method} ${path}: expected "${field}" in the answer, which has ${Object.keys(fields).join(', ')}`,
        );
      },
    };
  };
