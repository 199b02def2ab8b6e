import { randomBytes, randomUUID } from 'node:crypto';

import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Pool } from 'pg';

import { loadConfig } from '../../src/config/load';
import { buildProtection } from '../../src/container/protection';
import { createIdempotencyRepository, type IdempotencyRepository } from '../../src/repositories/idempotency-repository';
import { createDatabase, type Database } from '../../src/repositories/prisma-client';
import { databaseText } from '../support/footprint';
import { useStack } from '../support/stack';

const LEASE_MS = 60_000;

let pool: Pool;
/** Two processes. */
let databases: [Database, Database];
let repositories: [IdempotencyRepository, IdempotencyRepository];

// Hooks run in the order in which they are registered: this one before the stack stops.
afterAll(async () => {
  await Promise.all(databases.map((database) => database.$disconnect()));
  await pool.end();
});
const stack = useStack('postgres');
beforeAll(() => {
  const config = loadConfig(['database', 'keys', 'security'], stack.env);
  pool = new Pool({ connectionString: stack.databaseOwnerUrl, max: 4 });
  pool.on('error', () => undefined);
  databases = [createDatabase(config.database), createDatabase(config.database)];
  const cipher = buildProtection(config, databases[0]).ciphers.idempotency;
  repositories = [createIdempotencyRepository(databases[0], cipher), createIdempotencyRepository(databases[1], cipher)];
});
beforeEach(() => pool.query('TRUNCATE idempotency_keys'));

const hash = (): Uint8Array<ArrayBuffer> => new Uint8Array(randomBytes(32));
const pass = (column: 'lease_expires_at' | 'expires_at', id: Uint8Array) =>
  pool.query(`UPDATE idempotency_keys SET ${column} = ${column} - interval '25 hours' WHERE id = $1`, [
    Buffer.from(id),
  ]);
const countRows = async (): Promise<number> => {
  const { rows } = await pool.query<{ count: number }>('SELECT count(*)::int AS count FROM idempotency_keys');
  return rows[0]?.count ?? -1;
};

describe('a key', () => {
  it('that forty ask for at once is given to one', async () => {
    for (let round = 0; round < 25; round += 1) {
      const request = { id: hash(), fingerprint: hash() };
      const claims = await Promise.all(
        Array.from({ length: 40 }, (_, index) =>
          repositories[index % 2 ? 1 : 0].claim(request, randomUUID(), LEASE_MS),
        ),
      );
      const outcomes = claims.map(({ outcome }) => outcome).sort();
      expect(outcomes).toEqual(['claimed', ...Array.from({ length: 39 }, () => 'in_flight')]);
    }
  });

  it('left behind by a dead holder is taken over by one of forty, and the dead cannot record', async () => {
    const request = { id: hash(), fingerprint: hash() };
    const dead = randomUUID();
    await repositories[0].claim(request, dead, LEASE_MS);
    await pass('lease_expires_at', request.id);
    const leases = Array.from({ length: 40 }, () => randomUUID());
    const claims = await Promise.all(leases.map((lease) => repositories[1].claim(request, lease, LEASE_MS)));
    const winners = leases.filter((_, index) => claims[index]?.outcome === 'claimed');
    expect(winners).toHaveLength(1);
    const [winner = ''] = winners;
    expect(await repositories[0].record({ id: request.id, lease: dead }, 'of the dead')).toBe(false);
    expect(await repositories[0].renew({ id: request.id, lease: dead }, LEASE_MS)).toBe(false);
    expect(await repositories[0].release({ id: request.id, lease: dead })).toBe(false);
    expect(await repositories[1].record({ id: request.id, lease: winner }, 'of the living')).toBe(true);
    expect(await repositories[1].record({ id: request.id, lease: winner }, 'twice')).toBe(false);
    expect(await repositories[0].claim(request, randomUUID(), LEASE_MS)).toEqual({
      outcome: 'answered',
      answer: 'of the living',
    });
  });

  it('that has expired is new, for any content; the rows of expired keys are dropped, a bounded number at a time', async () => {
    const request = { id: hash(), fingerprint: hash() };
    const lease = randomUUID();
    await repositories[0].claim(request, lease, LEASE_MS);
    await repositories[0].record({ id: request.id, lease }, 'old');
    await pass('expires_at', request.id);
    const other = { id: request.id, fingerprint: hash() };
    expect(await repositories[1].claim(other, randomUUID(), LEASE_MS)).toEqual({ outcome: 'claimed' });

    const old = Array.from({ length: 10 }, () => ({ id: hash(), fingerprint: hash() }));
    await Promise.all(old.map((one) => repositories[0].claim(one, randomUUID(), LEASE_MS)));
    await Promise.all(old.slice(1).map(({ id }) => pass('expires_at', id)));
    expect(await countRows()).toBe(11);
    expect(await repositories[0].purge(4)).toBe(4);
    const both = await Promise.all(repositories.map((repository) => repository.purge(100)));
    expect(both.reduce((sum, count) => sum + count)).toBe(5);
    expect(await countRows()).toBe(2);
  });

  it('keeps its answer encrypted and bound to its row', async () => {
    const [first, second] = [hash(), hash()].map((id) => ({ id, fingerprint: hash() })) as [
      { id: Uint8Array<ArrayBuffer>; fingerprint: Uint8Array<ArrayBuffer> },
      { id: Uint8Array<ArrayBuffer>; fingerprint: Uint8Array<ArrayBuffer> },
    ];
    for (const { id, fingerprint } of [first, second]) {
      const lease = randomUUID();
      await repositories[0].claim({ id, fingerprint }, lease, LEASE_MS);
      await repositories[0].record({ id, lease }, 'SENTINEL-TOKEN');
    }
    const text = await databaseText({ database: pool });
    expect(text).toContain('idempotency_keys');
    expect(text).not.toContain('SENTINEL-TOKEN');
    await pool.query(
      `UPDATE idempotency_keys SET answer_ciphertext = (SELECT answer_ciphertext FROM idempotency_keys WHERE id = $1) WHERE id = $2`,
      [Buffer.from(first.id), Buffer.from(second.id)],
    );
    await expect(repositories[0].claim(second, randomUUID(), LEASE_MS)).rejects.toThrow(/not_authentic/);
  });
});

/** What a key must be, told in the simplest way. */
interface Model {
  content: number | undefined;
  holder: string | undefined;
  isLeaseOver: boolean;
  answer: string | undefined;
}
const newModel = (): Model => ({ content: undefined, holder: undefined, isLeaseOver: false, answer: undefined });

const expectedClaim = (model: Model, content: number): string => {
  if (model.content === undefined) return 'claimed';
  if (model.content !== content) return 'reused';
  if (model.answer !== undefined) return 'answered';
  return model.holder === undefined || model.isLeaseOver ? 'claimed' : 'in_flight';
};

type Step =
  | { readonly kind: 'claim'; readonly worker: number; readonly content: number }
  | { readonly kind: 'record' | 'release' | 'renew'; readonly worker: number }
  | { readonly kind: 'leaseRunsOut' | 'keyExpires' | 'purge'; readonly worker?: never };

const worker = fc.nat({ max: 3 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('claim' as const), worker, content: fc.nat({ max: 1 }) }) },
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constantFrom('record' as const, 'release' as const, 'renew' as const), worker }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom('leaseRunsOut' as const, 'leaseRunsOut' as const, 'keyExpires' as const, 'purge' as const),
    }),
  },
);

describe('random interleavings (property-based)', () => {
  /** Every statement is one step, so every order of steps of four workers is an interleaving of theirs. */
  it('of claim, record, release, renewal, crash and expiry: one holder, one record, its answer for all that follow', async () => {
    const run = async (steps: readonly Step[]): Promise<void> => {
      const [id, contents] = [hash(), [hash(), hash()] as const];
      let model = newModel();
      /** The lease that each worker believes it has; a worker that crashed is one that never comes back to it. */
      const leases: (string | undefined)[] = [];
      const take = async (index: number, content: number): Promise<void> => {
        const lease = randomUUID();
        const fingerprint = contents[content] ?? contents[0];
        const claim = await repositories[index % 2 ? 1 : 0].claim({ id, fingerprint }, lease, LEASE_MS);
        expect(claim.outcome).toBe(expectedClaim(model, content));
        if (claim.outcome === 'answered') expect(claim.answer).toBe(model.answer);
        if (claim.outcome !== 'claimed') return;
        leases[index] = lease;
        model = { content, holder: lease, isLeaseOver: false, answer: undefined };
      };
      const settle = async (kind: 'record' | 'release' | 'renew', index: number): Promise<void> => {
        const lease = leases[index];
        if (lease === undefined) return;
        const [repository, holder] = [repositories[index % 2 ? 1 : 0], { id, lease }];
        const isHeld = model.holder === lease && model.answer === undefined;
        if (kind === 'record') {
          expect(await repository.record(holder, `answer of ${lease}`)).toBe(isHeld);
          if (isHeld) model.answer = `answer of ${lease}`;
        } else if (kind === 'release') {
          expect(await repository.release(holder)).toBe(isHeld);
          if (isHeld) model.isLeaseOver = true;
        } else {
          expect(await repository.renew(holder, LEASE_MS)).toBe(isHeld);
          if (isHeld) model.isLeaseOver = false;
        }
      };
      for (const one of steps) {
        if (one.kind === 'claim') await take(one.worker, one.content);
        else if (one.kind === 'leaseRunsOut') {
          await pass('lease_expires_at', id);
          model.isLeaseOver = true;
        } else if (one.kind === 'keyExpires') {
          await pass('expires_at', id);
          // Until it is taken anew or dropped its holder may still record; nobody is given what is recorded then.
          await repositories[0].purge(10);
          model = newModel();
        } else if (one.kind === 'purge') await repositories[0].purge(10);
        else await settle(one.kind, one.worker ?? 0);
      }
    };
    await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), run), { numRuns: 300 });
  });

  /** Whole requests that truly run at once, some of which die between their steps. */
  it('of whole requests at once, some of them dying: what is recorded is recorded once, and all get that', async () => {
    const request = fc.record({
      dies: fc.constantFrom('never', 'before work', 'before record'),
      delay: fc.nat({ max: 3 }),
    });
    const run = async (requests: readonly { dies: string; delay: number }[]): Promise<void> => {
      const identity = { id: hash(), fingerprint: hash() };
      const recorded: string[] = [];
      const attempt = async ({ dies, delay }: { dies: string; delay: number }, index: number) => {
        await new Promise((resolve) => setTimeout(resolve, delay));
        const [repository, lease] = [repositories[index % 2 ? 1 : 0], randomUUID()];
        const claim = await repository.claim(identity, lease, LEASE_MS);
        if (claim.outcome === 'claimed' && dies === 'never') {
          if (await repository.record({ id: identity.id, lease }, lease)) recorded.push(lease);
        } else if (claim.outcome === 'claimed' && dies === 'before work') await pass('lease_expires_at', identity.id);
        return claim;
      };
      await Promise.all(requests.map(attempt));
      await pass('lease_expires_at', identity.id);
      const last = await attempt({ dies: 'never', delay: 0 }, 0);
      expect(recorded).toHaveLength(1);
      if (last.outcome === 'answered') expect(last.answer).toBe(recorded[0]);
      expect(await attempt({ dies: 'never', delay: 0 }, 1)).toEqual({ outcome: 'answered', answer: recorded[0] });
    };
    await fc.assert(fc.asyncProperty(fc.array(request, { minLength: 1, maxLength: 8 }), run), { numRuns: 150 });
  });
});
