import { randomUUID } from 'node:crypto';

import { describe, expect, it } from '@jest/globals';

import { join } from '../support/contact';
import { eventually } from '../support/eventually';
import { appCode, confirm, enroll, listFactors, MFA_ENABLED_SUBJECT, staleCode } from '../support/mfa';
import { forgot, mailedToken, RESET_SUBJECT, resetPassword } from '../support/passwords';
import { logIn, newPerson, signUp } from '../support/people';
import { useTestService } from '../support/service';
import { withTemporal } from '../support/temporal';

/** Temporal advises a new run after so many events; 4096 by default. */
const ADVISED_EVENTS = 60;

/** Who asks again and again makes a history long; the process then goes on in a new run, and nobody notices. */
describe('a process whose history has become long goes on in a new run', () => {
  const service = useTestService({
    temporalSettings: [`limit.historyCount.suggestContinueAsNew=${String(ADVISED_EVENTS)}`],
  });

  const runsOf = (workflowId: string): Promise<string[]> =>
    withTemporal(service, async (client) => {
      const statuses = [];
      for await (const { status } of client.workflow.list({ query: `WorkflowId = '${workflowId}'` }))
        statuses.push(status.name);
      return statuses;
    });
  const hasGoneOn = (workflowId: string): Promise<unknown> =>
    eventually('a new run', async () => (await runsOf(workflowId)).includes('CONTINUED_AS_NEW'));

  it('the enrolment of a second factor: the newest secret works, wrong codes stay counted, the end is one factor', async () => {
    const { token, userId, person } = await join(service);
    const workflowId = `mfa-enrollment/${userId}/totp`;
    let enrollment = { enrollmentId: '', secret: '' };
    for (let round = 0; round < 12; round += 1) enrollment = (await enroll(service, token)).body as typeof enrollment;
    const { enrollmentId, secret } = enrollment;
    expect((await confirm(service, token, enrollmentId, staleCode(secret))).status).toBe(422);
    await hasGoneOn(workflowId);
    for (let tries = 0; tries < 3; tries += 1)
      expect((await confirm(service, token, enrollmentId, staleCode(secret))).status).toBe(422);
    expect((await confirm(service, token, enrollmentId, appCode(secret))).status).toBe(200);
    expect((await listFactors(service, token)).body).toMatchObject({ factors: [{ factor: 'totp' }] });
    await service.mailbox.waitFor(person.email, MFA_ENABLED_SUBJECT);
    await withTemporal(service, async (client) => {
      expect(await client.workflow.getHandle(workflowId).result()).toBe('confirmed');
    });
  });

  it('a password reset: the link that was mailed works', async () => {
    const person = newPerson();
    await signUp(service, person);
    await forgot(service, person.email);
    const token = await mailedToken(service, person.email);
    for (let round = 0; round < 30; round += 1) await forgot(service, person.email);
    await eventually('a new run', () =>
      withTemporal(service, async (client) => {
        const query = `WorkflowType = 'passwordReset' AND ExecutionStatus = 'ContinuedAsNew'`;
        return (await client.workflow.count(query)).count > 0;
      }),
    );
    const password = `another long secret ${randomUUID()}`;
    expect((await resetPassword(service, token, password)).status).toBe(204);
    expect((await logIn(service, { ...person, password })).status).toBe(200);
    expect(await service.mailbox.to(person.email, RESET_SUBJECT)).toHaveLength(1);
  });
});
