import { describe, expect, it } from '@jest/globals';

import { eventually } from '../support/eventually';
import { mailedCode, newFaydaId, newPerson, newPhone, register, verify } from '../support/people';
import { fullProof } from '../support/proofs';
import { useTestService } from '../support/service';
import { describeRun, withTemporal } from '../support/temporal';

const LIFE_SECONDS = 4;

describe('a registration that nobody verifies', () => {
  const service = useTestService({ env: { REGISTRATION_EXPIRES_IN: `${String(LIFE_SECONDS)}s` } });

  const rowOf = async (registrationId: string) => {
    const { rows } = await service.database.query('SELECT * FROM registrations WHERE id = $1', [registrationId]);
    return rows[0] as Record<string, unknown> | undefined;
  };
  const purged = (registrationId: string) =>
    eventually('the purge', async () => {
      const row = await rowOf(registrationId);
      return row?.['status'] === 'EXPIRED' && row;
    });

  it('expires: its personal data is dropped, its code is useless, and its address is free again', async () => {
    const person = newPerson({ phone: newPhone(), faydaId: newFaydaId(), firstName: 'Abebe' });
    const accepted = await register(service, person);
    const id = accepted.body.registrationId as string;
    const code = await mailedCode(service, person.email);
    const remaining = Date.parse(accepted.body.expiresAt as string) - Date.now();
    expect(remaining).toBeLessThanOrEqual(LIFE_SECONDS * 1_000);

    const row = await purged(id);
    expect(row).toMatchObject({
      email_index: null,
      profile_ciphertext: null,
      password_hash_ciphertext: null,
      code_hash: null,
      user_id: null,
    });
    expect((await service.http.get(`/v1/auth/register/${id}`)).body).toMatchObject({ status: 'expired' });
    expect(await verify(service, id, code)).toMatchObject({ status: 410, body: { code: 'registration_expired' } });
    expect(await service.http.post(`/v1/auth/register/${id}/resend`)).toMatchObject({ status: 410 });

    const again = await register(service, person);
    expect(again.body.registrationId).not.toBe(id);
    expect(
      (await verify(service, again.body.registrationId as string, await mailedCode(service, person.email, 2))).status,
    ).toBe(201);
  });

  fullProof('expires in time though the mail server is away all the while', async () => {
    await service.stack.mail?.stop();
    const { body } = await register(service, newPerson());
    await purged(body.registrationId as string);
    await eventually(
      'the end of the workflow',
      async () => (await describeRun(service, body.registrationId as string)).status === 'COMPLETED',
    );
    await service.stack.mail?.start();
  });

  fullProof('expires in time though no worker ran for a while', async () => {
    await service.processes.worker.stop();
    const { body } = await register(service, newPerson());
    await new Promise((resolve) => setTimeout(resolve, (LIFE_SECONDS + 1) * 1_000));
    await service.processes.worker.start();
    await purged(body.registrationId as string);
  });

  it('leaves nothing when an operator cancels it', async () => {
    const { body } = await register(service, newPerson());
    const id = body.registrationId as string;
    await eventually('the row', () => rowOf(id));
    await withTemporal(service, async (client) => {
      const { workflowId } = await describeRun(service, id);
      await client.workflow.getHandle(workflowId).cancel();
    });
    expect(await purged(id)).toMatchObject({ profile_ciphertext: null, password_hash_ciphertext: null });
  });
});
