import { randomUUID } from 'node:crypto';

import { beforeAll, describe, expect, it } from '@jest/globals';
import type { Client } from '@temporalio/client';

import { RETENTION_POLICIES } from '../../src/contracts/retention';
import { RETENTION } from '../../src/contracts/retention-workflow';
import { loadConfig } from '../../src/config/load';
import { createAuditVerifier } from '../../src/repositories/audit-verifier';
import { createDatabase } from '../../src/repositories/prisma-client';
import { eventually } from '../support/eventually';
import { logIn, newPerson, register, signUp } from '../support/people';
import { fullProof } from '../support/proofs';
import { withProtection } from '../support/protection';
import { useTestService } from '../support/service';
import { withTemporal } from '../support/temporal';

/** Runs come when the tests ask for them. */
const service = useTestService({ env: { RETENTION_INTERVAL: '3000d' } });

const sql = async <Row extends object>(text: string, values: unknown[] = []): Promise<Row[]> =>
  (await service.database.query(text, values)).rows as Row[];
const count = async (from: string): Promise<number> => {
  const [row] = await sql<{ count: number }>(`SELECT count(*)::int AS count FROM ${from}`);
  return row?.count ?? -1;
};

/** Has a run begin now. @returns its workflow id */
const trigger = (client: Client): Promise<string> =>
  eventually('a run of the retention', async () => {
    const handle = client.schedule.getHandle(RETENTION.scheduleId);
    const before = (await handle.describe()).info.numActionsTaken;
    await handle.trigger();
    return eventually('its start', async () => {
      const { info } = await handle.describe();
      return info.numActionsTaken > before && info.recentActions.at(-1)?.action.workflow.workflowId;
    });
  });
const run = (): Promise<Record<string, number>> =>
  withTemporal(service, async (client) => {
    const workflowId = await trigger(client);
    return (await client.workflow.getHandle(workflowId).result()) as Record<string, number>;
  });

const EVERYTHING = Object.keys(RETENTION_POLICIES);
const NOTHING = Object.fromEntries(EVERYTHING.map((policy) => [policy, 0]));

/** Makes all that a person has left behind older by so many days. */
const AGED: Readonly<Record<string, readonly string[]>> = {
  registrations: ['created_at', 'expires_at', 'closed_at', 'last_issued_at'],
  sessions: ['created_at', 'expires_at', 'ended_at'],
  mail_deliveries: ['created_at', 'sent_at'],
};
const age = async (days: number): Promise<void> => {
  for (const [table, columns] of Object.entries(AGED)) {
    const sets = columns.map((column) => `${column} = ${column} - interval '${String(days)} days'`);
    await sql(`UPDATE ${table} SET ${sets.join(', ')}`);
  }
};

describe('the retention', () => {
  const person = newPerson();
  let userId = '';
  beforeAll(async () => {
    const { body } = await signUp(service, person);
    userId = body.user.id as string;
    await register(service, newPerson());
    await eventually('the mails', async () => (await count('mail_deliveries WHERE sent_at IS NOT NULL')) >= 3);
  });

  it('drops nothing before its time, and says so', async () => {
    await age(1);
    expect(await run()).toEqual(NOTHING);
    expect(await count(`audit_events WHERE action = 'retention.applied'`)).toBe(0);
  });

  it('drops what its own workflow has left behind, and nothing of an open registration before', async () => {
    await age(3);
    expect(await run()).toEqual({ ...NOTHING, 'abandoned-registrations': 1 });
    expect(await count('registrations')).toBe(1);
  });

  it('drops what is over of each kind, leaves the account, and is recorded', async () => {
    await logIn(service, person);
    await sql(
      `UPDATE sessions SET expires_at = now() - interval '91 days' WHERE id = (SELECT min(id::text)::uuid FROM sessions)`,
    );
    await sql(`UPDATE registrations SET closed_at = now() - interval '31 days'`);
    await sql(`UPDATE mail_deliveries SET created_at = now() - interval '91 days' WHERE key LIKE 'welcome/%'`);
    const old = `now() - interval '400 days'`;
    await sql(
      `INSERT INTO password_resets (id, workflow_id, user_id, status, last_issued_at, expires_at, closed_at)
       VALUES ($1, 'x', $2, 'EXPIRED', ${old}, ${old}, ${old})`,
      [randomUUID(), userId],
    );
    await sql(
      `INSERT INTO contact_changes (id, workflow_id, user_id, channel, kind, status, contact_index, contact_ciphertext, created_at, expires_at, closed_at)
       VALUES ($1, 'x', $3, 'PHONE', 'CHANGE', 'EXPIRED', '\\x00', 'v1:x:y', ${old}, ${old}, ${old}),
         ($2, 'x', $3, 'PHONE', 'CHANGE', 'EXPIRED', '\\x00', 'v1:x:y', now(), now(), now() - interval '3 days')`,
      [randomUUID(), randomUUID(), userId],
    );
    await sql(
      `INSERT INTO mfa_enrollments (id, workflow_id, user_id, type, status, expires_at, closed_at)
       VALUES ($1, 'x', $2, 'TOTP', 'ENDED', ${old}, ${old})`,
      [randomUUID(), userId],
    );
    await sql(
      `INSERT INTO factor_codes (id, user_id, type, purpose, bound_to, contact_index, created_at, expires_at)
       VALUES ($1, $2, 'SMS_OTP', 'LOGIN', '\\x00', '\\x00', ${old}, ${old})`,
      [randomUUID(), userId],
    );
    await sql(
      `INSERT INTO recovery_codes (id, user_id, code_hash, used_at) VALUES ($1, $3, '\\x00', ${old}), ($2, $3, '\\x01', NULL)`,
      [...[randomUUID(), randomUUID(), userId]],
    );
    await sql(
      `INSERT INTO login_challenges (token_hash, user_id, password_changed_at, device_index, expires_at) VALUES ('\\x00', $1, ${old}, '\\x00', ${old})`,
      [userId],
    );
    await sql(
      `INSERT INTO data_exports (id, user_id, status, requested_at, expires_at) VALUES ($1, $2, 'EXPIRED', ${old}, ${old})`,
      [randomUUID(), userId],
    );
    await sql(`INSERT INTO passkey_challenges (hash, device_index, expires_at) VALUES ('\\x00', '\\x00', ${old})`);
    await sql(
      `INSERT INTO remembered_devices (id, user_id, token_hash, device_index, password_changed_at, device_ciphertext, created_at, last_used_at, expires_at)
       VALUES ($1, $2, '\\x00', '\\x00', ${old}, 'x', ${old}, ${old}, ${old})`,
      [randomUUID(), userId],
    );
    await sql(
      `INSERT INTO account_recoveries (id, workflow_id, user_id, status, password_changed_at, device_ciphertext, cancel_token_hash, requested_at, available_at, closed_at)
       VALUES ($1, 'x', $2, 'EXPIRED', ${old}, 'x', '\\x00', ${old}, ${old}, ${old})`,
      [randomUUID(), userId],
    );
    await sql(`INSERT INTO known_devices (user_id, device_index, last_used_at) VALUES ($1, '\\x00', ${old})`, [userId]);
    await sql(
      `INSERT INTO login_failures (key, failures, last_failed_at, expires_at) VALUES ('\\x00', 1, ${old}, ${old})`,
    );
    await sql(
      `INSERT INTO idempotency_keys (id, fingerprint, lease, lease_expires_at, expires_at) VALUES ('\\x00', '\\x00', $1, ${old}, ${old})`,
      [randomUUID()],
    );
    await sql(
      `INSERT INTO notice_outbox (event_id, name, user_id, created_at) VALUES ($1, 'phone:changed', $2, ${old})`,
      [...[randomUUID(), randomUUID()]],
    );

    await sql(`INSERT INTO person_keys (person_id, secret, created_at) VALUES ($1, '\\x00', ${old})`, [randomUUID()]);

    const result = await run();
    expect(result).toEqual({
      ...Object.fromEntries(EVERYTHING.map((policy) => [policy, 1])),
      'abandoned-registrations': 0,
      'contact-texts': 2,
      notices: result['notices'],
      audit: 0,
    });
    // Nobody has the account of the notice: perhaps the sweep was first.
    expect(result['notices']).toBeLessThanOrEqual(1);
    expect(await count('users')).toBe(1);
    expect(await count('sessions')).toBe(1);
    expect(await count('contact_changes WHERE contact_ciphertext IS NULL')).toBe(1);
    expect(await count('recovery_codes WHERE used_at IS NULL')).toBe(1);
    const events = await sql<{ details: string }>(
      `SELECT details FROM audit_events WHERE action = 'retention.applied'`,
    );
    expect(events.map(({ details }) => JSON.parse(details) as unknown)).toContainEqual(result);
    const metrics = await (await fetch(`http://127.0.0.1:${String(service.stack.ports.workerMetrics)}/metrics`)).text();
    expect(metrics).toContain('retention_rows_total{policy="sessions"} 1');
    expect((await logIn(service, person)).status).toBe(200);
  });

  fullProof(
    'goes on in a worker that was killed, and nothing is dropped twice or forgotten',
    async () => {
      await sql(
        `INSERT INTO login_failures (key, failures, last_failed_at, expires_at)
       SELECT int4send(i), 1, now() - interval '9 days', now() - interval '9 days' FROM generate_series(1, 40000) AS i`,
      );
      await withTemporal(service, async (client) => {
        const workflowId = await trigger(client);
        await eventually(
          'a run half-way',
          async () => {
            const left = await count('login_failures');
            return left < 39_000 && left > 0;
          },
          20_000,
        );
        await service.processes.worker.kill();
        await service.processes.worker.start();
        const result = (await client.workflow.getHandle(workflowId).result()) as Record<string, number>;
        expect(await count('login_failures')).toBe(0);
        // What the killed attempt did since its last heartbeat is not counted.
        expect(result['login-failures']).toBeGreaterThan(20_000);
        expect(result['login-failures']).toBeLessThanOrEqual(40_000);
      });
    },
    90_000,
  );
});

describe('the audit trail after it', () => {
  it('is whole', async () => {
    const database = createDatabase(loadConfig(['database'], service.stack.env).database);
    try {
      await withProtection(service.stack, async ({ auditSeal }) => {
        expect(await createAuditVerifier(database, auditSeal)()).toMatchObject({ valid: true, complete: true });
      });
    } finally {
      await database.$disconnect();
    }
  });
});
