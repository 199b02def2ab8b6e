import { describe, expect, it } from '@jest/globals';

import type { ProcessName } from '../../src/config/processes';
import { eventually } from '../support/eventually';
import { holdTable, someoneWaits } from '../support/hold';
import type { Answer } from '../support/http-client';
import { fateOf, killAll, killWhileHeld, RECOVERY_MS } from '../support/kills';
import { logIn, mailedCode, newPerson, type Person, register, verify, WELCOME_SUBJECT } from '../support/people';
import { fullProof } from '../support/proofs';
import { storedJobs } from '../support/queue';
import { useTestService } from '../support/service';
import { describeRun } from '../support/temporal';

const EVERY_PROCESS = ['api', 'worker', 'consumer'] as const;

/**
 * Each step of a registration is held in the middle of its work (a locked table, a frozen Redis), every process is killed
 * there with SIGKILL and started again, one after the other, and the step is let go.
 */
describe('a registration survives SIGKILL of api, worker and consumer (kratos#2550, better-auth#10202, keycloak#23908)', () => {
  const service = useTestService();

  /** As a client does whose answer was lost: tries until it is told how it ended. */
  const verifyUntilAnswered = (registrationId: string, code: string): Promise<Answer> =>
    eventually(
      'an answer to the code',
      async () => {
        const answer = await verify(service, registrationId, code);
        return answer.status !== 503 && answer;
      },
      RECOVERY_MS,
    );

  const expectOneAccountAndOneWelcome = async (person: Person, registrationId: string): Promise<void> => {
    await service.mailbox.waitFor(person.email, WELCOME_SUBJECT, 1, RECOVERY_MS);
    const login = await logIn(service, person);
    expect(login.status).toBe(200);
    const { rows } = await service.database.query(
      `SELECT user_id FROM registrations WHERE id = $1 AND status = 'COMPLETED'`,
      [registrationId],
    );
    expect(rows).toHaveLength(1);
    const { user_id: userId } = rows[0] as { user_id: string };
    await eventually(
      'the end of the workflow',
      async () => (await describeRun(service, registrationId)).status === 'COMPLETED',
    );
    const jobs = (await storedJobs(service)).filter(({ id }) => id === `user-registered-${userId}`);
    expect(jobs).toHaveLength(1);
    expect(await service.mailbox.to(person.email, WELCOME_SUBJECT)).toHaveLength(1);
    expect(await service.mailbox.to(person.email)).toHaveLength(2);
  };

  it(
    'while the pending registration is being stored',
    async () => {
      const person = newPerson();
      const hold = await holdTable(service, 'registrations');
      const { body } = await register(service, person);
      await someoneWaits(service, 'registrations');
      await killAll(service, EVERY_PROCESS);
      await hold.release();
      const code = await mailedCode(service, person.email);
      expect((await verifyUntilAnswered(body.registrationId as string, code)).status).toBe(201);
      await expectOneAccountAndOneWelcome(person, body.registrationId as string);
    },
    2 * RECOVERY_MS,
  );

  it(
    'while the code is being mailed',
    async () => {
      const person = newPerson();
      const hold = await holdTable(service, 'mail_deliveries');
      const { body } = await register(service, person);
      await someoneWaits(service, 'mail_deliveries');
      await killAll(service, EVERY_PROCESS);
      await hold.release();
      const [mail] = await service.mailbox.waitFor(person.email, /Confirm/, 1, RECOVERY_MS);
      const code = /^\d{6}$/m.exec(mail?.text ?? '')?.[0] ?? '';
      expect((await verifyUntilAnswered(body.registrationId as string, code)).status).toBe(201);
      await expectOneAccountAndOneWelcome(person, body.registrationId as string);
    },
    2 * RECOVERY_MS,
  );

  fullProof(
    'while the account is being opened',
    async () => {
      const person = newPerson();
      const { body } = await register(service, person);
      const registrationId = body.registrationId as string;
      const code = await mailedCode(service, person.email);
      const verifying = () => fateOf(verify(service, registrationId, code));
      expect(await killWhileHeld(service, 'users', verifying, EVERY_PROCESS)).toBe('lost');
      const answer = await verifyUntilAnswered(registrationId, code);
      // The lost request may have been the one that opened it.
      expect([201, 409]).toContain(answer.status);
      await expectOneAccountAndOneWelcome(person, registrationId);
    },
    2 * RECOVERY_MS,
  );

  fullProof(
    'while the welcome mail is being enqueued',
    async () => {
      const person = newPerson();
      const { body } = await register(service, person);
      const code = await mailedCode(service, person.email);
      const { pid = 0 } = service.stack.valkey ?? {};
      process.kill(pid, 'SIGSTOP');
      try {
        expect((await verify(service, body.registrationId as string, code)).status).toBe(201);
        // The consumer is not ready without Redis, so it is started again when that is back.
        await service.processes.consumer.kill();
        for (const name of ['api', 'worker'] satisfies ProcessName[]) {
          await service.processes[name].kill();
          await service.processes[name].start();
        }
      } finally {
        process.kill(pid, 'SIGCONT');
      }
      await service.processes.consumer.start();
      await expectOneAccountAndOneWelcome(person, body.registrationId as string);
    },
    2 * RECOVERY_MS,
  );

  fullProof(
    'while the welcome mail is being sent',
    async () => {
      const person = newPerson();
      const { body } = await register(service, person);
      const code = await mailedCode(service, person.email);
      const hold = await holdTable(service, 'mail_deliveries');
      expect((await verify(service, body.registrationId as string, code)).status).toBe(201);
      await someoneWaits(service, 'mail_deliveries');
      await killAll(service, EVERY_PROCESS);
      await hold.release();
      await expectOneAccountAndOneWelcome(person, body.registrationId as string);
    },
    2 * RECOVERY_MS,
  );
});
