import { eventually } from './eventually';
import type { Answer } from './http-client';
import type { TestService } from './service';

export const ERASURE_SUBJECT = /account will be erased/;
export const ERASURE_CANCELLED_SUBJECT = /account stays/;
export const ERASING_SUBJECT = /is being erased/;

export const requestErasure = ({ http }: TestService, token: string, headers: Record<string, string> = {}) =>
  http.send('DELETE', '/v1/users/me', { token, headers });
export const findErasure = ({ http }: TestService, token: string): Promise<Answer> =>
  http.get('/v1/users/me/erasure', { token });
export const restore = ({ http }: TestService, token: string): Promise<Answer> =>
  http.post('/v1/users/me/restore', undefined, { token });

export const erasureStates = async ({ database }: TestService, userId: string): Promise<string[]> => {
  const { rows } = await database.query<{ status: string }>(
    'SELECT status::text FROM account_erasures WHERE user_id = $1 ORDER BY requested_at',
    [userId],
  );
  return rows.map(({ status }) => status);
};

/** Waits until the newest erasure of an account has come to its end. */
export const erased = (service: TestService, userId: string, timeoutMs = 60_000): Promise<unknown> =>
  eventually('the erasure', async () => (await erasureStates(service, userId)).at(-1) === 'COMPLETED', timeoutMs);
