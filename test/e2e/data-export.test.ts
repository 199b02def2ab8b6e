import { randomUUID } from 'node:crypto';

import { describe, expect, it } from '@jest/globals';

import { auditEventsOf } from '../support/audit';
import { eventually } from '../support/eventually';
import { databaseText } from '../support/footprint';
import { appCode, letStepsPass, protectedPerson, stepUp } from '../support/mfa';
import { mailedCode, newPerson, register, signUp, verify, WELCOME_SUBJECT } from '../support/people';
import { expectProblem } from '../support/problems';
import { useTestService } from '../support/service';
import { withTemporal } from '../support/temporal';

const service = useTestService({ env: { EXPORT_EXPIRES_IN: '6s' } });
const URL = '/v1/users/me/exports';
const SUBJECT = /copy of your Meqenet data is ready/;

const ask = (token: string, headers: Record<string, string> = {}) =>
  service.http.post(URL, undefined, { token, headers });
const state = (token: string, id: string) => service.http.get(`${URL}/${id}`, { token });
const download = (token: string, id: string) => service.http.get(`${URL}/${id}/content`, { token });
const account = async (more = {}) => {
  const person = newPerson(more);
  const { body } = await signUp(service, person);
  await service.mailbox.waitFor(person.email, WELCOME_SUBJECT);
  return { person, userId: body.user.id as string, token: body.accessToken as string };
};
const ready = async (token: string): Promise<string> => {
  const asked = await ask(token);
  expect([asked.status, asked.body]).toMatchObject([202, { status: 'pending', expiresAt: null }]);
  const id = asked.body.exportId as string;
  await eventually('the export', async () => (await state(token, id)).body.status === 'ready');
  return id;
};

const DETAILS = {
  phone: '+251977310559',
  faydaId: '731055441928',
  firstName: 'Sentinelexport',
  lastName: 'Sentinelname',
};

describe('the export of all that is held about a person', () => {
  it('has everything but secrets, is told by mail, and expires', async () => {
    const person = newPerson(DETAILS);
    const consents = [{ purpose: 'terms', version: '2026-01' }];
    const { body: begun } = await register(service, { ...person, consents } as typeof person);
    const verified = await verify(service, begun.registrationId as string, await mailedCode(service, person.email));
    const { userId, token } = { userId: verified.body.user.id as string, token: verified.body.accessToken as string };
    await service.mailbox.waitFor(person.email, WELCOME_SUBJECT);
    await service.http.post(
      '/v1/auth/login',
      { email: person.email, password: 'wrong wrong' },
      { headers: { 'user-agent': 'SentinelAgent/9' } },
    );
    const id = await ready(token);
    const { status, body, headers } = await download(token, id);
    expect(status).toBe(200);
    expect(headers.get('content-disposition')).toMatch(/^attachment/);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(body.profile).toEqual([expect.objectContaining({ id: userId, email: person.email, ...DETAILS })]);
    expect(body.consents).toMatchObject([{ purpose: 'terms', version: '2026-01', act: 'given', origin: null }]);
    expect(body.sessions).toMatchObject([{ endedAt: null, device: { ip: expect.any(String) } }]);
    expect(body.roles).toMatchObject([{ role: 'CUSTOMER' }]);
    expect(body.registrations).toMatchObject([{ status: 'completed' }]);
    expect((body.messages as { message: string }[]).map(({ message }) => message)).toEqual(
      expect.arrayContaining(['welcome', 'verification']),
    );
    const events = body.events as { action: string; origin: { userAgent: string } | null }[];
    expect(events.map(({ action }) => action)).toEqual(
      expect.arrayContaining(['registration.completed', 'session.opened', 'login.failed', 'data.export_requested']),
    );
    expect(events.find(({ action }) => action === 'login.failed')?.origin?.userAgent).toBe('SentinelAgent/9');
    const text = JSON.stringify(body);
    expect(text).not.toMatch(/v2:|\$argon2/);
    expect(text).not.toContain('hash');
    // In the database only sealed, in Temporal not at all.
    expect(await databaseText(service)).not.toContain('Sentinelexport');
    await service.mailbox.waitFor(person.email, SUBJECT);
    await eventually('its end', async () => (await state(token, id)).body.status === 'expired', 15_000);
    expectProblem(await download(token, id), { status: 410, code: 'export_expired' });
    await eventually('what is dropped', async () => {
      const { rows } = await service.database.query('SELECT content_ciphertext FROM data_exports WHERE id = $1', [id]);
      return (rows[0] as { content_ciphertext: string | null }).content_ciphertext === null;
    });
    expect(await auditEventsOf(service.database, userId, 'data.downloaded')).toHaveLength(1);
    expect(await auditEventsOf(service.database, userId, 'data.exported')).toHaveLength(1);
  }, 40_000);

  it('is its owner’s alone, and needs the owner to be there', async () => {
    const { token, userId } = await account();
    const id = await ready(token);
    const other = await account();
    expectProblem(await state(other.token, id), { status: 404, code: 'export_not_found' });
    expectProblem(await download(other.token, id), { status: 404, code: 'export_not_found' });
    await service.database.query(`UPDATE sessions SET auth_time = now() - interval '16 minutes' WHERE user_id = $1`, [
      userId,
    ]);
    const STALE = { status: 401, code: 'reauthentication_required' };
    expectProblem(await download(token, id), STALE);
    expectProblem(await ask(token), STALE);
    const owner = await protectedPerson(service);
    expectProblem(await ask(owner.token), { status: 403, code: 'step_up_required' });
    await letStepsPass(service, owner.userId);
    const { body } = await stepUp(service, owner.token, appCode(owner.secret));
    expect((await ask(body.accessToken as string)).status).toBe(202);
  });

  it('is made one at a time, the same for a repeated request, and three times a day', async () => {
    const { token } = await account();
    const headers = { 'idempotency-key': randomUUID() };
    const ids = await Promise.all([ask(token, headers), ask(token), ask(token)]);
    const accepted = ids.filter(({ status }) => status === 202).map(({ body }) => body.exportId as string);
    for (const id of accepted) await eventually('it', async () => (await state(token, id)).body.status !== 'pending');
    await service.database.query(`DELETE FROM data_exports`);
    for (let count = 0; count < 3; count += 1) await ready(token);
    expectProblem(await ask(token), { status: 429, code: 'export_limit_reached' });
  });

  it('is made in the end when its worker was killed, and leaves nothing readable in its history', async () => {
    const { token, person } = await account(DETAILS_OF_ANOTHER);
    await service.processes.worker.kill();
    const asked = await ask(token);
    const id = asked.body.exportId as string;
    expect(asked.status).toBe(202);
    expectProblem(await download(token, id), { status: 409, code: 'export_not_ready' });
    await service.processes.worker.start();
    await eventually('the export', async () => (await state(token, id)).body.status === 'ready', 30_000);
    const history = await withTemporal(service, async (client) =>
      JSON.stringify(await client.workflow.getHandle(`data-export/${id}`).fetchHistory()),
    );
    expect(history).not.toContain(person.email);
  }, 60_000);
});

const DETAILS_OF_ANOTHER = { firstName: 'Sentinelsecond' };
