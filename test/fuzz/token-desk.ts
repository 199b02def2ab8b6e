import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { type Account, freshToken, hire, stepUpSession } from '../support/staff';
import type { TestService } from '../support/start-test-service';

export type Who = 'nobody' | 'customer' | 'administrator';

/** A token is renewed long before it expires, and before a login is too old to count as one of just now. */
const TOKEN_LIFE_MS = 8 * 60_000;

export interface TokenDesk {
  readonly url: string;
  readonly close: () => Promise<void>;
}

interface Held {
  readonly account: Account;
  readonly token: string;
  readonly sessionId: string;
  readonly since: number;
}

const sessionOf = (token: string): string => {
  const [, claims = ''] = token.split('.');
  return (JSON.parse(Buffer.from(claims, 'base64url').toString()) as { sid: string }).sid;
};

/** The access tokens of one kind of caller, always one that works: operations under test end sessions and lock accounts. */
const createTokens = (service: TestService, who: Who) => {
  let held: Promise<Held> | undefined;

  const isAlive = async ({ sessionId, since, account }: Held): Promise<boolean> => {
    if (Date.now() - since > TOKEN_LIFE_MS) return false;
    const { rows } = await service.database.query(
      `SELECT 1 FROM sessions s JOIN users u ON u.id = s.user_id
       WHERE s.id = $1 AND s.ended_at IS NULL AND u.id = $2 AND u.status IN ('ACTIVE', 'ERASURE_PENDING')`,
      [sessionId, account.userId],
    );
    return rows.length === 1;
  };
  const hold = async (account: Account, token: string): Promise<Held> => {
    const sessionId = sessionOf(token);
    if (who === 'administrator') await stepUpSession(service, sessionId);
    return { account, token, sessionId, since: Date.now() };
  };
  const somebodyNew = async (): Promise<Held> => {
    const account = await hire(service, ...(who === 'administrator' ? (['ADMIN'] as const) : []));
    return hold(account, account.token);
  };
  const renew = async ({ account }: Held): Promise<Held> => {
    const token = await freshToken(service, account).catch(() => undefined);
    return typeof token === 'string' ? hold(account, token) : somebodyNew();
  };

  return {
    current: async (): Promise<string> => {
      const before = held;
      // Whoever asks meanwhile waits for the same.
      held = (before ?? somebodyNew()).then(async (each) => ((await isAlive(each)) ? each : renew(each)));
      held = held.catch(somebodyNew);
      return (await held).token;
    },
  };
};

/** Gives a fuzzer, over HTTP on loopback, tokens that work (`/token`) and ids of what is there, by path (`/ids`). */
export const openTokenDesk = async (service: TestService, who: Who): Promise<TokenDesk> => {
  const tokens = createTokens(service, who);
  const victims = await Promise.all([hire(service), hire(service), hire(service, 'SUPPORT')]);
  const ids = async () => {
    const { rows } = await service.database.query<{ id: string }>(
      'SELECT id FROM registrations ORDER BY id DESC LIMIT 5',
    );
    return {
      '/v1/admin/users': victims.map(({ userId }) => userId),
      '/v1/auth/register': rows.map(({ id }) => id),
      '/v1/auth/sessions': victims.map(({ sessionId }) => sessionId),
    };
  };
  const answer = async (path: string | undefined): Promise<string> =>
    path === '/token' ? tokens.current() : JSON.stringify(await ids());
  const server = createServer((request, response) => {
    answer(request.url).then(
      (text) => response.end(text),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${String(port)}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
};
