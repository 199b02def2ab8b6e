import { randomUUID } from 'node:crypto';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Pool } from 'pg';

import { loadConfig } from '../../src/config/load';
import type { AuditSeal } from '../../src/contracts/audit';
import { buildProtection } from '../../src/container/protection';
import { canonicalContent } from '../../src/repositories/audit-content';
import { createPruneAudit, type PruneAudit } from '../../src/repositories/audit-pruning';
import type { AuditTrail } from '../../src/repositories/audit-trail';
import { type AuditVerifier, createAuditVerifier } from '../../src/repositories/audit-verifier';
import { createDatabase, type Database } from '../../src/repositories/prisma-client';
import { connectAsSuperuser, withTamperedTrail } from '../support/audit';
import { useStack } from '../support/stack';

const DAY_MS = 86_400_000;
const daysAgo = (days: number): Date => new Date(Date.now() - days * DAY_MS);
const OLD_EVENTS = 25;

let database: Database;
let service: Pool;
let owner: Pool;
let superuser: Pool;
let seal: AuditSeal;
let audit: AuditTrail;
let verify: AuditVerifier;
let prune: PruneAudit;

afterAll(async () => {
  await database.$disconnect();
  await Promise.all([service, owner, superuser].map((pool) => pool.end()));
});
const stack = useStack('postgres');

/** As the trail would have recorded it then. */
const recordThen = async (occurredAt: Date): Promise<void> => {
  const row = {
    ...{
      id: randomUUID(),
      occurred_at: occurredAt,
      action: 'session.opened',
      outcome: 'success',
      actor_kind: 'service',
    },
    ...{
      actor_id: null,
      subject_id: null,
      request_id: null,
      workflow_id: null,
      origin_ciphertext: null,
      details: '{}',
    },
  };
  await service.query(
    `INSERT INTO audit_events (id, occurred_at, action, outcome, actor_kind, details, seal) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    [
      ...[row.id, occurredAt, row.action, row.outcome, row.actor_kind, row.details],
      await seal.seal(canonicalContent(row)),
    ],
  );
};

beforeAll(async () => {
  const config = loadConfig(['database', 'keys', 'security'], stack.env);
  database = createDatabase(config.database);
  service = new Pool({ connectionString: stack.env['DATABASE_URL'], max: 2 });
  owner = new Pool({ connectionString: stack.databaseOwnerUrl, max: 1 });
  superuser = connectAsSuperuser(stack);
  for (const pool of [service, owner]) pool.on('error', () => undefined);
  ({ auditSeal: seal, audit } = buildProtection(config, database));
  verify = createAuditVerifier(database, seal);
  prune = createPruneAudit({ database, audit, auditSeal: seal });
  for (let index = 0; index < OLD_EVENTS; index += 1) await recordThen(daysAgo(2_000 - index));
  await recordThen(daysAgo(100));
  // Late: an old event behind a young one stays.
  await recordThen(daysAgo(1_900));
});

const sequences = async (): Promise<number[]> => {
  const { rows } = await owner.query<{ sequence: string }>('SELECT sequence FROM audit_events ORDER BY sequence');
  return rows.map(({ sequence }) => Number(sequence));
};

describe('the audit trail, when the time of its oldest events is over', () => {
  it('goes from its beginning, in batches, and is whole before, between and after', async () => {
    const before = await verify();
    expect(before).toMatchObject({ valid: true, complete: true, checked: OLD_EVENTS + 2 });
    expect(await prune(daysAgo(1_000), 10)).toBe(10);
    expect(await verify()).toMatchObject({ valid: true, complete: true, checked: OLD_EVENTS + 2 - 10 + 1 });
    expect(await prune(daysAgo(1_000), 10)).toBe(10);
    expect(await prune(daysAgo(1_000), 10)).toBe(5);
    expect(await prune(daysAgo(1_000), 10)).toBe(0);
    // The two that were not over, and the record of each of the three.
    expect(await sequences()).toEqual([26, 27, 28, 29, 30]);
    expect(await verify()).toMatchObject({ valid: true, complete: true, checked: 5 });
    expect(await verify({ after: 3n })).toMatchObject({ valid: true, checked: 5 });
    expect(await verify({ after: 25n })).toMatchObject({ valid: true, checked: 5 });
    expect(await verify({ after: 27n })).toMatchObject({ valid: true, checked: 3 });
  });

  it('tells what has gone, and to which hash', async () => {
    const { rows } = await owner.query<{ details: string; hash: string }>(
      `SELECT details, (SELECT encode(hash, 'hex') FROM audit_checkpoint) AS hash FROM audit_events
       WHERE action = 'audit.pruned' ORDER BY sequence DESC LIMIT 1`,
    );
    expect(JSON.parse(rows[0]?.details ?? '')).toEqual({ from: '21', to: '25', hash: rows[0]?.hash, events: 5 });
  });

  it('cannot be compared any more with an end that has gone, but with one that was kept since', async () => {
    expect(await verify({ expected: { sequence: 12n, hash: '00'.repeat(32) } })).toMatchObject({
      ...{ valid: false, defect: { kind: 'missing', sequence: 12n } },
    });
    const { rows } = await owner.query<{ hash: string }>(`SELECT encode(hash, 'hex') AS hash FROM audit_checkpoint`);
    const hash = rows[0]?.hash ?? '';
    expect(await verify({ expected: { sequence: 25n, hash } })).toMatchObject({ valid: true });
    expect(await verify({ expected: { sequence: 25n, hash: '00'.repeat(32) } })).toMatchObject({
      ...{ valid: false, defect: { kind: 'not_expected', sequence: 25n } },
    });
    const { last } = await verify();
    await audit.append(database.sql, { action: 'session.opened', actor: { kind: 'service' } });
    expect(await verify({ expected: last })).toMatchObject({ valid: true, complete: true });
  });

  it('keeps its last event, though its time is over as well', async () => {
    const before = await sequences();
    expect(await prune(daysAgo(366), 1_000)).toBe(0);
    expect(await sequences()).toEqual(before);
  });
});

describe('nobody drops what is not over', () => {
  const young = 26;
  const ACTS = [
    `SELECT prune_audit_events(${String(young)}, 'x')`,
    `SELECT prune_audit_events(3, 'x')`,
    `SELECT prune_audit_events(1000, 'x')`,
    `DELETE FROM audit_events WHERE sequence = ${String(young)}`,
    `UPDATE audit_checkpoint SET sequence = ${String(young)}, hash = (SELECT hash FROM audit_events WHERE sequence = ${String(young)})`,
    `UPDATE audit_checkpoint SET sequence = 1`,
    `DELETE FROM audit_checkpoint`,
    `TRUNCATE audit_checkpoint`,
  ];

  it.each(ACTS)('neither the processes nor the owner: %s', async (sql) => {
    const before = await sequences();
    await expect(service.query(sql)).rejects.toMatchObject({ code: expect.stringMatching(/^(42501|P0002)$/) });
    await expect(owner.query(sql)).rejects.toMatchObject({ code: expect.stringMatching(/^(42501|P0002)$/) });
    expect(await sequences()).toEqual(before);
  });

  it('and a superuser who takes the triggers away is found by the seal of the checkpoint', async () => {
    await superuser.query('ALTER TABLE audit_checkpoint DISABLE TRIGGER audit_checkpoint_guard');
    const forge = `
      UPDATE audit_checkpoint SET sequence = 27, hash = (SELECT hash FROM audit_events WHERE sequence = 27);
      DELETE FROM audit_events WHERE sequence <= 27`;
    const { rows } = await superuser.query<{ sequence: string; hash: Buffer }>('SELECT * FROM audit_checkpoint');
    try {
      await withTamperedTrail(superuser, forge, async () => {
        expect(await verify()).toMatchObject({ valid: false, defect: { kind: 'not_genuine', sequence: 27n } });
      });
    } finally {
      await superuser.query('UPDATE audit_checkpoint SET sequence = $1, hash = $2', [rows[0]?.sequence, rows[0]?.hash]);
      await superuser.query('ALTER TABLE audit_checkpoint ENABLE ALWAYS TRIGGER audit_checkpoint_guard');
    }
    expect(await verify()).toMatchObject({ valid: true, complete: true });
  });
});
