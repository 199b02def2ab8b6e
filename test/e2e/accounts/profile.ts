import { describe, expect, it } from '@jest/globals';

import { auditEventsOf } from '../../support/audit';
import { databaseText } from '../../support/footprint';
import { newPerson, signUp, WELCOME_SUBJECT } from '../../support/people';
import { forgot, RESET_SUBJECT } from '../../support/passwords';
import { complaints, expectProblem } from '../../support/problems';
import { useSharedService } from '../../support/service';
import { hire } from '../../support/staff';

const service = useSharedService();

const account = async () => {
  const person = newPerson({ firstName: 'Abebe', lastName: 'Bikila' });
  const { body } = await signUp(service, person);
  return { person, userId: body.user.id as string, token: body.accessToken as string };
};
const me = (token: string) => service.http.get('/v1/users/me', { token });
const patch = (token: string, body: unknown, headers: Record<string, string> = {}) =>
  service.http.send('PATCH', '/v1/users/me', { token, body, headers });
const changesOf = (userId: string) => auditEventsOf(service.database, userId, 'user.profile_changed');

describe('a change of the profile', () => {
  it('changes what is named and nothing else; null clears a name', async () => {
    const { token } = await account();
    const before = (await me(token)).body as object;
    const answer = await patch(token, { firstName: ' Derartu ', lastName: null, locale: 'am' });
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({ ...before, firstName: 'Derartu', lastName: null, locale: 'am' });
    expect((await me(token)).body).toEqual(answer.body);
    expect((await patch(token, { lastName: 'Tulu' })).body).toEqual({ ...answer.body, lastName: 'Tulu' });
  });

  it('is recorded once, by the names of the fields and never by their values', async () => {
    const { token, userId } = await account();
    await patch(token, { lastName: 'Sentinelname', firstName: 'Abebe' });
    const [event, ...more] = await changesOf(userId);
    expect(more).toEqual([]);
    expect(event).toMatchObject({ outcome: 'success', actor_id: userId, details: '{"fields":["lastName"]}' });
    expect(event?.request_id).toMatch(/./);
    expect(event?.origin_ciphertext).toMatch(/^v2:/);
    expect(await databaseText(service)).not.toContain('Sentinelname');
  });

  it('that changes nothing is answered alike, and neither written nor recorded', async () => {
    const { token, userId } = await account();
    const before = (await me(token)).body as unknown;
    for (const body of [{}, { firstName: 'Abebe' }, { lastName: 'Bikila', locale: 'en' }]) {
      expect(await patch(token, body)).toMatchObject({ status: 200, body: before });
    }
    expect(await changesOf(userId)).toEqual([]);
  });

  it('of different fields at the same time holds in full', async () => {
    const { token, userId } = await account();
    await Promise.all([
      patch(token, { firstName: 'Tirunesh' }),
      patch(token, { lastName: 'Dibaba' }),
      patch(token, { locale: 'am' }),
    ]);
    expect((await me(token)).body).toMatchObject({ firstName: 'Tirunesh', lastName: 'Dibaba', locale: 'am' });
    expect(await changesOf(userId)).toHaveLength(3);
  });

  it('is done once under an Idempotency-Key', async () => {
    const { token, userId } = await account();
    const headers = { 'idempotency-key': crypto.randomUUID() };
    const first = await patch(token, { firstName: 'Haile' }, headers);
    await patch(token, { firstName: 'Kenenisa' });
    const again = await patch(token, { firstName: 'Haile' }, headers);
    expect(again.body).toEqual(first.body);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect((await me(token)).body.firstName).toBe('Kenenisa');
    expect(await changesOf(userId)).toHaveLength(2);
  });

  it('has the rules of a registration for names', async () => {
    const { token } = await account();
    const decomposed = 'Zoe\u0308';
    expect((await patch(token, { firstName: decomposed })).body.firstName).toBe(decomposed.normalize('NFC'));
    for (const bad of ['', '  ', 'x'.repeat(101), 'Abebe\u0000', 'Abebe\u202egnp.exe', '\ud800']) {
      const answer = await patch(token, { firstName: bad });
      expectProblem(answer, { status: 400, code: 'validation_failed' });
      expect(complaints(answer)).toEqual(['/firstName']);
    }
    for (const field of ['email', 'phone', 'faydaId', 'roles', 'status', 'id']) {
      const answer = await patch(token, { [field]: 'x' });
      expectProblem(answer, { status: 400, code: 'validation_failed' });
      expect(complaints(answer)).toEqual([`/${field}`]);
    }
    expectProblem(await patch(token, { locale: null }), { status: 400, code: 'validation_failed' });
    expectProblem(await patch(token, { locale: 'fr' }), { status: 400, code: 'validation_failed' });
  });

  it('of the language is that of the mails that follow', async () => {
    const { person, token } = await account();
    await service.mailbox.waitFor(person.email, WELCOME_SUBJECT);
    await patch(token, { locale: 'am' });
    await forgot(service, person.email);
    const [, , mail] = await service.mailbox.waitFor(person.email, /./, 3);
    expect(mail?.subject).not.toMatch(RESET_SUBJECT);
    expect(mail?.subject).toMatch(/\p{Script=Ethiopic}/u);
  });

  it('needs a session of an account in force', async () => {
    const { token, userId } = await account();
    expectProblem(await patch('x.y.z', { firstName: 'A' }), { status: 401, code: 'invalid_token' });
    const admin = await hire(service, 'ADMIN');
    const reason = { reason: 'a test of locking' };
    await service.http.post(`/v1/admin/users/${userId}/lock`, reason, { token: admin.token });
    expectProblem(await patch(token, { firstName: 'A' }), { status: 401, code: 'invalid_token' });
  });
});
