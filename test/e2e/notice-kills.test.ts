import { randomUUID } from 'node:crypto';

import { describe, expect, it } from '@jest/globals';

import { eventually } from '../support/eventually';
import { type Hold, holdTable, someoneWaits } from '../support/hold';
import { changePassword, PASSWORD_CHANGED_SUBJECT } from '../support/passwords';
import { logIn, newPerson, type Person, signUp, WELCOME_SUBJECT } from '../support/people';
import { fullProof } from '../support/proofs';
import { storedJobs } from '../support/queue';
import { useTestService } from '../support/service';

const RECOVERY_MS = 60_000;
const SWEEP_MS = 2_000;
const NEW_PASSWORD = 'quite another long secret';

/** An act of a request of which the owner of the account is told. */
interface Act {
  /** Of the answer. */
  readonly status: number;
  readonly subject: RegExp;
  /** Brings the account to where the act is possible. @returns what does it, and answers its status */
  readonly prepare: (person: Person) => Promise<() => Promise<number>>;
}

describe('a notice of what a request did is neither lost nor sent twice (kratos#732, kratos#1598)', () => {
  const service = useTestService({ env: { NOTICE_SWEEP_INTERVAL: `${String(SWEEP_MS)}ms` } });

  const ACTS: Record<string, Act> = {
    'session:new-device': {
      status: 200,
      subject: /New device/,
      prepare: (person) =>
        Promise.resolve(async () => {
          const { email, password } = person;
          const headers = { 'x-device-id': `device-${randomUUID()}` };
          return (await service.http.post('/v1/auth/login', { email, password }, { headers })).status;
        }),
    },
    'session:reuse-detected': {
      status: 401,
      subject: /ended a session/,
      prepare: async (person) => {
        const { body } = await logIn(service, person);
        const { refreshToken, sessionId } = body as { refreshToken: string; sessionId: string };
        const refresh = async () => (await service.http.post('/v1/auth/refresh', { refreshToken })).status;
        await refresh();
        await service.database.query(
          `UPDATE refresh_tokens SET rotated_at = rotated_at - interval '31 s' WHERE session_id = $1`,
          [sessionId],
        );
        return refresh;
      },
    },
    'password:changed': {
      status: 204,
      subject: PASSWORD_CHANGED_SUBJECT,
      prepare: async (person) => {
        const { accessToken } = (await logIn(service, person)).body as { accessToken: string };
        return async () => (await changePassword(service, accessToken, person.password, NEW_PASSWORD)).status;
      },
    },
  };
  const NAMES = Object.keys(ACTS);

  const prepare = async (name: string) => {
    const { status, subject, prepare: prepareAct } = ACTS[name]!;
    const person = newPerson();
    await signUp(service, person);
    await service.mailbox.waitFor(person.email, WELCOME_SUBJECT);
    return { person, status, subject, act: await prepareAct(person) };
  };
  const waiting = async () => {
    const { rows } = await service.database.query<{ name: string; event_id: string; line: string }>(
      'SELECT name, event_id, t::text AS line FROM notice_outbox t',
    );
    return rows;
  };

  /** One mail, one job, and nothing left in the outbox; also after two more sweeps. */
  const expectOneNotice = async (name: string, eventId: string, person: Person, subject: RegExp): Promise<void> => {
    await service.mailbox.waitFor(person.email, subject, 1, RECOVERY_MS);
    await eventually('the empty outbox', async () => (await waiting()).length === 0);
    await new Promise((resolve) => setTimeout(resolve, 2 * SWEEP_MS));
    expect(await service.mailbox.to(person.email, subject)).toHaveLength(1);
    const jobs = (await storedJobs(service)).filter(({ id }) => id?.endsWith(eventId));
    expect(jobs.map((job) => job.name)).toEqual([name]);
  };

  /** Runs `work` while the worker is stopped: nobody but the api can enqueue anything. */
  const withoutSweeps = async (work: () => Promise<void>): Promise<void> => {
    await service.processes.worker.stop();
    try {
      await work();
    } finally {
      await service.processes.worker.start();
    }
  };
  const during = async <T>(hold: Hold, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } finally {
      await hold.release();
    }
  };
  /** Runs `work` while the api has committed the act and cannot look the address up, which comes before the enqueue. */
  const betweenCommitAndEnqueue = async (act: () => Promise<number>, work: () => Promise<void>): Promise<void> => {
    const outbox = await holdTable(service, 'notice_outbox');
    const { users } = await during(outbox, async () => {
      // The answer is not what is looked at: it may be lost.
      void act().catch(() => undefined);
      await someoneWaits(service, 'notice_outbox');
      // A login holds its account until it commits: then this comes before whatever the api does next.
      const users = holdTable(service, 'users', true);
      await Promise.race([users, someoneWaits(service, 'users')]);
      return { users };
    });
    await during(await users, async () => {
      await someoneWaits(service, 'users');
      await work();
    });
  };
  const killApi = () => service.processes.api.kill();
  const startApi = () => service.processes.api.start();

  fullProof.each(NAMES)(
    '%s, the api being killed after the commit and before the enqueue',
    async (name) => {
      const { person, subject, act } = await prepare(name);
      let eventId = '';
      await withoutSweeps(async () => {
        await betweenCommitAndEnqueue(act, killApi);
        const rows = await waiting();
        expect(rows.map((row) => row.name)).toEqual([name]);
        eventId = rows[0]?.event_id ?? '';
        expect((await storedJobs(service)).some(({ id }) => id?.endsWith(eventId))).toBe(false);
        await startApi();
      });
      await expectOneNotice(name, eventId, person, subject);
    },
    2 * RECOVERY_MS,
  );

  it(
    'session:new-device, the api being killed after the enqueue and before the outbox is cleared',
    async () => {
      const { person, subject, act } = await prepare('session:new-device');
      let eventId = '';
      await withoutSweeps(async () => {
        let outbox: Hold | undefined;
        await betweenCommitAndEnqueue(act, async () => {
          outbox = await holdTable(service, 'notice_outbox');
        });
        await during(outbox!, async () => {
          await someoneWaits(service, 'notice_outbox');
          eventId = (await waiting())[0]?.event_id ?? '';
          await killApi();
        });
        await service.mailbox.waitFor(person.email, subject);
        // Postgres may still do what the dead one had asked for, or not: here it has not.
        await service.database.query(
          `INSERT INTO notice_outbox (event_id, name, user_id, created_at)
           SELECT id, 'session:new-device', user_id, created_at FROM sessions WHERE id = $1 ON CONFLICT DO NOTHING`,
          [eventId],
        );
        await startApi();
      });
      await expectOneNotice('session:new-device', eventId, person, subject);
    },
    2 * RECOVERY_MS,
  );

  fullProof.each(NAMES)(
    '%s, Redis being away, and the api killed meanwhile',
    async (name) => {
      const { person, status, subject, act } = await prepare(name);
      await service.stack.valkey?.kill();
      let eventId: string;
      try {
        expect(await act()).toBe(status);
        await killApi();
        // Sweeps meet it in vain.
        await new Promise((resolve) => setTimeout(resolve, 3 * SWEEP_MS));
        const rows = await waiting();
        expect(rows.map((row) => row.name)).toEqual([name]);
        eventId = rows[0]?.event_id ?? '';
      } finally {
        await service.stack.valkey?.start();
        await startApi();
      }
      await expectOneNotice(name, eventId, person, subject);
    },
    2 * RECOVERY_MS,
  );
});
