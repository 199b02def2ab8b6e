import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';

import { DATA_KEY_ROTATION, type DataKeyRotationResult } from '../../src/contracts/data-key-workflow';
import { ENCRYPTED_COLUMNS } from '../../src/repositories/encrypted-columns';
import { userLocation } from '../../src/repositories/user-fields';
import { orderDataKeyRotation } from '../../src/temporal/schedules';
import { eventually } from '../support/eventually';
import { logIn, newPerson, type Person, register, signUp } from '../support/people';
import { inProof } from '../support/proofs';
import { withProtection } from '../support/protection';
import { type SecondWorker, startSecondWorker } from '../support/second-process';
import { useTestService } from '../support/service';
import { withTemporal } from '../support/temporal';

const ACCOUNTS = inProof(10_000, 3_000);
const ENV = {
  RATE_LIMIT_MODE: 'observe',
  DATA_KEY_PROPAGATION: '4s',
  // Logins are the load here, not what is measured.
  ARGON2_MEMORY_KIB: '8192',
  ARGON2_ITERATIONS: '1',
};

let maintenance: SecondWorker | undefined;
afterAll(async () => {
  await maintenance?.process.stop();
}, 30_000);
const service = useTestService({
  env: { ...ENV, WORKER_TASK_QUEUES: 'registration,account,mfa,email,sms' },
});

/** The password of everybody who was made by hand. */
const pattern = newPerson();
const emailOf = (index: number): string => `made-${String(index)}-${pattern.email}`;

/** Accounts as the service would have stored them. */
const makeAccounts = (): Promise<void> =>
  withProtection(service.stack, async ({ ciphers, blindIndex }) => {
    const { rows } = await service.database.query<{ hash: string }>('SELECT hash FROM password_credentials LIMIT 1');
    for (let from = 0; from < ACCOUNTS; from += 1_000) {
      const made = await Promise.all(
        Array.from({ length: 1_000 }, async (_, index) => {
          const [id, email] = [uuidv7(), emailOf(from + index)];
          return {
            ...{ id, email_index: Buffer.from(blindIndex.of('email', email)) },
            email: await ciphers.fields.encrypt(email, userLocation('email_ciphertext', id)),
            name: await ciphers.fields.encrypt('Abebe', userLocation('first_name_ciphertext', id)),
          };
        }),
      );
      await service.database.query(
        `WITH made AS (
           INSERT INTO users (id, email_ciphertext, email_index, first_name_ciphertext, email_verified_at, updated_at)
           SELECT *, now(), now() FROM unnest($1::uuid[], $2::text[], $3::bytea[], $4::text[]) RETURNING id
         ) INSERT INTO password_credentials (user_id, hash) SELECT id, $5 FROM made`,
        [
          ...[made.map(({ id }) => id), made.map(({ email }) => email), made.map((row) => row.email_index)],
          ...[made.map(({ name }) => name), rows[0]?.hash],
        ],
      );
    }
  });

/** Ids of the data keys under which values of the database are, each with how many. */
const keysInUse = async (): Promise<Record<string, number>> => {
  const all = ENCRYPTED_COLUMNS.map(
    ({ table, column }) => `SELECT split_part(${column}, ':', 2) AS id FROM ${table} WHERE ${column} IS NOT NULL`,
  );
  const { rows } = await service.database.query<{ id: string; count: number }>(
    `SELECT id, count(*)::int AS count FROM (${all.join(' UNION ALL ')}) AS used GROUP BY id`,
  );
  return Object.fromEntries(rows.map(({ id, count }) => [id, count]));
};
const dataKeys = async () =>
  (
    await service.database.query<{ id: string; purpose: string; state: string }>(
      'SELECT id, purpose, state FROM data_keys ORDER BY created_at',
    )
  ).rows;
const order = () =>
  withTemporal(service, async (client) => {
    await orderDataKeyRotation(client);
    const handle = client.workflow.getHandle(DATA_KEY_ROTATION.orderedWorkflowId);
    return (await handle.result()) as DataKeyRotationResult;
  });

beforeAll(async () => {
  maintenance = await startSecondWorker(service, { ...ENV, WORKER_TASK_QUEUES: 'maintenance' });
  await signUp(service, pattern);
  await makeAccounts();
}, 120_000);

describe(`${String(ACCOUNTS)} accounts get other data keys while people register and log in`, () => {
  const failures: string[] = [];
  let [logins, registrations, running] = [0, 0, true];

  const loginLoop = async (): Promise<void> => {
    while (running) {
      const person: Person = { email: emailOf(Math.floor(Math.random() * ACCOUNTS)), password: pattern.password };
      const { status, body } = await logIn(service, person);
      logins += 1;
      if (status !== 200) failures.push(`login: ${String(status)} ${String(body?.code)}`);
    }
  };
  const registrationLoop = async (): Promise<void> => {
    while (running) {
      const { status, body } = await signUp(service, newPerson({ firstName: 'Almaz' }));
      registrations += 1;
      if (status !== 201) failures.push(`registration: ${String(status)} ${String(body?.code)}`);
    }
  };

  it('while the worker that does it is killed half-way: none fails, nothing is left under an old key', async () => {
    const before = (await dataKeys()).filter(({ state }) => state === 'ACTIVE').map(({ id }) => id);
    const load = Promise.all([loginLoop(), loginLoop(), registrationLoop()]);
    const ordered = order();
    // A third of the way, wherever that is.
    const killedAt = await eventually(
      'some of the values under the new key',
      async () => {
        const inUse = await keysInUse();
        const done = Object.entries(inUse).reduce((sum, [id, count]) => sum + (before.includes(id) ? 0 : count), 0);
        return done > ACCOUNTS / 3 && done;
      },
      120_000,
    );
    await maintenance?.process.kill();
    await sleep(1_000);
    await maintenance?.process.start();
    const result = await ordered;
    running = false;
    await load;
    process.stdout.write(
      `data keys: ${String(result.changed)} values encrypted anew, killed after ${String(killedAt)}; ` +
        `${String(logins)} logins, ${String(registrations)} registrations, ${String(failures.length)} failed\n`,
    );
    expect(failures).toEqual([]);
    expect(logins).toBeGreaterThan(20);
    expect(registrations).toBeGreaterThan(3);
    expect(result.refused).toBe(0);
    // What the killed worker had done is not done again, and not counted by the one that went on.
    expect(result.changed).toBeLessThan(ACCOUNTS * 2);
    expect(result.changed).toBeGreaterThan(ACCOUNTS * 2 - killedAt - ACCOUNTS / 3);
    expect(Object.keys(await keysInUse()).filter((id) => before.includes(id))).toEqual([]);
  }, 300_000);

  it('and the old key of the fields is put away by a later look, once no workflow began before', async () => {
    await eventually(
      'the old key to be put away',
      async () => {
        const kept = (await dataKeys()).filter(({ purpose, state }) => purpose === 'fields' && state !== 'ACTIVE');
        if (kept.length > 0 && kept[0]?.state === 'RETIRED') return true;
        await order();
        return false;
      },
      120_000,
    );
    // Events are never written anew, so what sealed them stays.
    expect((await dataKeys()).find(({ purpose }) => purpose === 'audit')).toMatchObject({ state: 'RETIRING' });
    expect((await logIn(service, { email: emailOf(7), password: pattern.password })).status).toBe(200);
    const { rows } = await service.database.query<{ action: string }>(
      `SELECT action FROM audit_events WHERE action LIKE 'data_key.%'`,
    );
    expect(new Set(rows.map(({ action }) => action))).toEqual(new Set(['data_key.activated', 'data_key.retired']));
  }, 150_000);
});

describe('values that were altered', () => {
  it.each([
    ['moved to another row', `(SELECT email_ciphertext FROM users WHERE id <> $1 LIMIT 1)`],
    [
      'moved to another column',
      `(SELECT first_name_ciphertext FROM users WHERE id <> $1 AND first_name_ciphertext IS NOT NULL LIMIT 1)`,
    ],
    ['cut short', `left(email_ciphertext, length(email_ciphertext) - 4)`],
    [
      'flipped in a byte',
      `regexp_replace(email_ciphertext, '.$', CASE WHEN email_ciphertext LIKE '%A' THEN 'Q' ELSE 'A' END)`,
    ],
  ])('%s are refused, and recorded without their content', async (_how, expression) => {
    const person = newPerson();
    const { body } = await signUp(service, person);
    const userId = body.user.id as string;
    await service.database.query(`UPDATE users SET email_ciphertext = ${expression} WHERE id = $1`, [userId]);
    const answer = await service.http.get('/v1/users/me', { token: String(body.accessToken) });
    expect(answer.status).toBe(500);
    expect(JSON.stringify(answer.body)).not.toMatch(/ciphertext|authentic/);
    const event = await eventually('the event', async () => {
      const { rows } = await service.database.query<{ details: string; subject_id: string }>(
        `SELECT details, subject_id FROM audit_events WHERE action = 'data.refused' AND subject_id = $1`,
        [userId],
      );
      return rows[0];
    });
    expect(JSON.parse(event.details)).toEqual({
      ...{ table: 'users', column: 'email_ciphertext', rowId: userId },
      reason: expect.stringMatching(/^(not_authentic|malformed)$/) as unknown,
    });
  });
});

it('an address that is registered again meets its account under whichever key', async () => {
  const { body } = await register(service, { email: emailOf(3), password: pattern.password });
  await eventually('the registration to be stored', async () => {
    const { rows } = await service.database.query<{ kind: string }>('SELECT kind FROM registrations WHERE id = $1', [
      body.registrationId,
    ]);
    return rows[0]?.kind === 'ADDRESS_TAKEN';
  });
});
