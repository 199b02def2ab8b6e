import { createHash } from 'node:crypto';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { v7 as uuidv7 } from 'uuid';

import { loadConfig } from '../../src/config/load';
import { buildProtection } from '../../src/container/protection';
import { createRefreshTokens, type RefreshTokens } from '../../src/crypto/refresh-token';
import type { AuditTrail } from '../../src/repositories/audit-trail';
import { createDatabase, type Database } from '../../src/repositories/prisma-client';
import { createProtectDevice, type ProtectDevice } from '../../src/repositories/protected-device';
import { createSessionRepository } from '../../src/repositories/session-repository';
import type { RotationOutcome } from '../../src/repositories/session-rotation';
import type { Sql } from '../../src/repositories/sql';
import { inProof } from '../support/proofs';
import { useStack } from '../support/stack';

const DAY_MS = 86_400_000;
const GRACE_MS = 30_000;
const RUNS = inProof(1_000, 250);

/** What may happen to a family of refresh tokens. `back` counts from the newest token that the client knows. */
type Step =
  /** The client shows a token: the newest (use), the one before (retry), an older one (retry, or reuse when half a minute has passed). */
  | { readonly do: 'show'; readonly back: number }
  /** The same, but the answer is lost. */
  | { readonly do: 'show-and-lose'; readonly back: number }
  /** The process dies before it commits: by a rolled-back transaction, or with its connection. */
  | { readonly do: 'crash'; readonly back: number; readonly how: 'roll-back' | 'kill' }
  /** The owner shows a second factor, and gets the next token or loses it on the way. */
  | { readonly do: 'step-up'; readonly isLost: boolean }
  /** More than the grace passes for whatever was used. */
  | { readonly do: 'wait' }
  | { readonly do: 'log-out' };

const back = fc.nat({ max: 3 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('show' as const), back: fc.constant(0) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('show' as const), back }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('show-and-lose' as const), back }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('crash' as const),
      back,
      how: fc.oneof(
        { weight: 9, arbitrary: fc.constant('roll-back' as const) },
        // A new connection is dear.
        { weight: 1, arbitrary: fc.constant('kill' as const) },
      ),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('step-up' as const), isLost: fc.boolean() }) },
  { weight: 1, arbitrary: fc.constant({ do: 'wait' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'log-out' as const }) },
);
/** The steps of one group happen at the same time; one group after the other. */
const story = fc.array(fc.array(step, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 5 });

let database: Database;
let refreshTokens: RefreshTokens;
let audit: AuditTrail;
let protectDevice: ProtectDevice;
const origin = { requestId: 'test', ip: '127.0.0.1', userAgent: undefined };
const userId = uuidv7();

afterAll(async () => {
  await database.$disconnect();
});
const stack = useStack('postgres');
beforeAll(async () => {
  const config = loadConfig(['database', 'keys', 'security'], stack.env);
  database = createDatabase(config.database);
  refreshTokens = createRefreshTokens(config.security.tokenKey);
  const protection = buildProtection(config, database);
  await protection.dataKeys.check();
  audit = protection.audit;
  protectDevice = createProtectDevice(protection.ciphers.fields, protection.blindIndex);
  await database.prisma.user.create({
    data: { id: userId, emailCiphertext: 'x', emailIndex: Buffer.from(userId), emailVerifiedAt: new Date() },
  });
});

const hash = (token: string): string => createHash('sha256').update(token).digest('hex');
const query = <Row extends object>(text: string, ...values: unknown[]) =>
  database.sql<Row>({ name: `test/${hash(text).slice(0, 40)}`, text }, values);

class Crash extends Error {}

const rotation = (token: string) => ({
  predecessor: refreshTokens.hash(token),
  successor: refreshTokens.hash(refreshTokens.successor(token)),
  idleExpiresInMs: 7 * DAY_MS,
  graceMs: GRACE_MS,
  origin,
});
const repository = (sql: Sql = database.sql) => createSessionRepository({ database: { sql }, audit, protectDevice });
const rotate = (token: string, sql: Sql = database.sql): Promise<RotationOutcome> =>
  repository(sql).rotate(rotation(token));

/** Rotates, and dies before the commit. */
const crash = (token: string, how: 'roll-back' | 'kill'): Promise<void> =>
  database
    .transact(async (sql) => {
      const [{ pid } = { pid: 0 }] = await sql<{ pid: number }>(
        { name: 'test/pid', text: 'SELECT pg_backend_pid() AS pid' },
        [],
      );
      await rotate(token, sql);
      if (how === 'kill') await query('SELECT pg_terminate_backend($1)', pid);
      throw new Crash();
    })
    .then(
      () => {
        throw new Error('It was to crash');
      },
      (error: unknown) => {
        if (!(error instanceof Crash)) throw error;
      },
    );

interface Family {
  readonly sessionId: string;
  readonly first: string;
  /** Tokens that the client knows, the newest last. */
  readonly known: string[];
}

const open = async (): Promise<Family> => {
  const first = refreshTokens.first();
  const expiresAt = new Date(Date.now() + 30 * DAY_MS);
  const opened = await repository().create({
    userId,
    acr: 'aal1',
    amr: ['pwd'],
    expiresAt,
    refreshTokenHash: refreshTokens.hash(first),
    refreshTokenExpiresAt: expiresAt,
    device: { key: 'kind:test', userAgent: 'Test', ip: '127.0.0.*' },
    origin,
  });
  if (opened === undefined) throw new Error('The account is active');
  return { sessionId: opened.session.id, first, known: [first] };
};

/** What may come after a token: by a refresh, or by a second factor. */
const nextTokens = (token: string) => ({
  refresh: refreshTokens.successor(token),
  stepUp: refreshTokens.raised(refreshTokens.hash(token)),
});

/** @returns whether the session lived */
const raise = async ({ sessionId, known }: Family, isLost: boolean): Promise<boolean> => {
  const raised = await repository().raise({
    ...{ sessionId, userId, origin, amr: ['pwd', 'otp', 'mfa'], idleExpiresInMs: 7 * DAY_MS },
    successorOf: (predecessor) => refreshTokens.hash(refreshTokens.raised(predecessor)),
  });
  if (raised === undefined) return false;
  const token = refreshTokens.raised(raised.predecessor);
  if (!isLost && !known.includes(token)) known.push(token);
  return true;
};

const play = async (family: Family, one: Step): Promise<RotationOutcome['outcome'] | 'raised' | undefined> => {
  const { sessionId, known } = family;
  switch (one.do) {
    case 'step-up':
      return (await raise(family, one.isLost)) ? 'raised' : undefined;
    case 'wait':
      await query(
        `UPDATE refresh_tokens SET rotated_at = rotated_at - interval '31 s' WHERE session_id = $1`,
        sessionId,
      );
      return undefined;
    case 'log-out':
      await repository().end(sessionId, userId, 'LOGOUT', origin);
      return undefined;
    case 'crash':
      await crash(known.at(-1 - one.back) ?? known[0]!, one.how);
      return undefined;
    default: {
      const token = known.at(-1 - one.back) ?? known[0]!;
      const answer = await rotate(token);
      if (one.do === 'show' && answer.outcome === 'rotated') {
        const { refresh, stepUp } = nextTokens(token);
        const successor = answer.wasRaised ? stepUp : refresh;
        if (!known.includes(successor)) known.push(successor);
      }
      return answer.outcome;
    }
  }
};

interface TokenRow {
  readonly hash: string;
  readonly replaces: string | null;
  readonly used: boolean;
}

const read = async ({ sessionId }: Family) => {
  const tokens = await query<TokenRow>(
    `SELECT encode(hash, 'hex') AS hash, encode(replaces, 'hex') AS replaces, rotated_at IS NOT NULL AS used
     FROM refresh_tokens WHERE session_id = $1 ORDER BY hash`,
    sessionId,
  );
  const [session] = await query<{ ended_by: string | null }>('SELECT ended_by FROM sessions WHERE id = $1', sessionId);
  return { tokens, endedBy: session?.ended_by ?? null };
};

/**
 * One chain, from the first token on, without a fork or a gap; only its end can be used.
 *
 * @returns its end
 */
const expectOneChain = ({ first }: Family, tokens: readonly TokenRow[]): string => {
  const byHash = new Map(tokens.map((token) => [token.hash, token]));
  let token = first;
  for (let position = 0; position < tokens.length; position += 1) {
    const isEnd = position === tokens.length - 1;
    expect(byHash.get(hash(token))).toMatchObject({ used: !isEnd });
    if (isEnd) break;
    const next = Object.values(nextTokens(token)).filter((one) => byHash.has(hash(one)));
    expect(next).toHaveLength(1);
    expect(byHash.get(hash(next[0]!))?.replaces).toBe(hash(token));
    token = next[0]!;
  }
  return token;
};

describe('a family of refresh tokens', () => {
  it(`has one live chain, whatever happens at the same time: ${String(RUNS)} random interleavings (zitadel#9631, hydra#1831, keycloak#45647)`, async () => {
    const count = { steps: 0, crashes: 0, stepUps: 0, reuses: 0, ended: 0 };
    await fc.assert(
      fc.asyncProperty(story, async (groups) => {
        const family = await open();
        let before = await read(family);
        let end = family.first;
        const happened = new Set<string>();
        for (const group of groups) {
          const outcomes = await Promise.all(group.map((one) => play(family, one)));
          const after = await read(family);
          for (const one of group) happened.add(one.do);
          if (outcomes.includes('reused')) happened.add('reuse');
          end = expectOneChain(family, after.tokens);
          // What has ended stays as it was, and gives nothing away.
          if (before.endedBy !== null) {
            expect(after).toEqual(before);
            expect(outcomes.filter((outcome) => outcome !== undefined && outcome !== 'refused')).toEqual([]);
          }
          // Nothing else ends it: not a crash, not a retry, not a race.
          if (after.endedBy === 'LOGOUT') expect(happened).toContain('log-out');
          if (after.endedBy === 'REFRESH_TOKEN_REUSED') expect(happened).toContain('wait');
          count.steps += group.length;
          count.crashes += group.filter((one) => one.do === 'crash').length;
          count.stepUps += outcomes.filter((outcome) => outcome === 'raised').length;
          count.reuses += outcomes.filter((outcome) => outcome === 'reused').length;
          before = after;
        }
        if (before.endedBy !== null) count.ended += 1;
        else expect((await rotate(end)).outcome).toBe('rotated');
      }),
      { numRuns: RUNS },
    );
    process.stdout.write(`refresh chains: ${JSON.stringify({ runs: RUNS, ...count })}\n`);
    expect(count.crashes).toBeGreaterThan(RUNS / 2);
    expect(count.stepUps).toBeGreaterThan(RUNS / 10);
    expect(count.reuses).toBeGreaterThan(10);
  }, 240_000);
});
