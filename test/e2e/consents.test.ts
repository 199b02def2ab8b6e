import { describe, expect, it } from '@jest/globals';

import type { ConsentsResponse } from '../../src/contracts/consent';
import { auditEventsOf } from '../support/audit';
import { databaseText } from '../support/footprint';
import { mailedCode, newPerson, signUp, verify } from '../support/people';
import { expectProblem } from '../support/problems';
import { useTestService } from '../support/service';

const service = useTestService({ env: { CONSENT_DOCUMENTS: 'terms@2026-02!,marketing@2026-01' } });

const URL = '/v1/users/me/consents';
const read = async (token: string) => (await service.http.get(URL, { token })).body as ConsentsResponse;
const give = (token: string, purpose: string, version: string, headers: Record<string, string> = {}) =>
  service.http.post(URL, { purpose, version }, { token, headers });
const withdraw = (token: string, purpose: string) => service.http.send('DELETE', `${URL}/${purpose}`, { token });

const account = async () => {
  const { body } = await signUp(service, newPerson());
  return { userId: body.user.id as string, token: body.accessToken as string };
};
const actsOf = async (token: string) =>
  (await read(token)).history.map(({ purpose, version, act }) => `${purpose}@${version} ${act}`);

describe('consents', () => {
  it('of the registration are told, those to an older version as such', async () => {
    const consents = [
      { purpose: 'terms', version: '2026-01' },
      { purpose: 'newsletter', version: '1' },
    ];
    const person = newPerson();
    const { body } = await service.http.post('/v1/auth/register', { ...person, consents });
    const verified = await verify(service, body.registrationId as string, await mailedCode(service, person.email));
    const found = await read(verified.body.accessToken as string);
    const since = expect.stringMatching(/Z$/);
    expect(found.consents).toEqual([
      {
        ...{ purpose: 'terms', required: true, currentVersion: '2026-02', status: 'given' },
        ...{ version: '2026-01', since, upToDate: false },
      },
      {
        ...{ purpose: 'marketing', required: false, currentVersion: '2026-01', status: 'never_given' },
        ...{ version: null, since: null, upToDate: false },
      },
      {
        ...{ purpose: 'newsletter', required: false, currentVersion: null, status: 'given' },
        ...{ version: '1', since, upToDate: false },
      },
    ]);
    expect(found.history).toHaveLength(2);
    expect(found.history[0]).toMatchObject({ source: 'registration', ip: null, userAgent: null });
  });

  it('are given, withdrawn and given again, and nothing of it is forgotten', async () => {
    const { token } = await account();
    const given = await give(token, 'marketing', '2026-01');
    expect([given.status, given.body]).toMatchObject([200, { status: 'given', upToDate: true }]);
    expect((await withdraw(token, 'marketing')).status).toBe(204);
    expect((await read(token)).consents[1]).toMatchObject({ status: 'withdrawn', upToDate: false });
    await give(token, 'marketing', '2026-01');
    expect(await actsOf(token)).toEqual([
      'marketing@2026-01 given',
      'marketing@2026-01 withdrawn',
      'marketing@2026-01 given',
    ]);
  });

  it('that stand so already add nothing, at the same time either', async () => {
    const { token, userId } = await account();
    await Promise.all(Array.from({ length: 5 }, () => give(token, 'terms', '2026-02')));
    expect(await actsOf(token)).toEqual(['terms@2026-02 given']);
    await give(token, 'marketing', '2026-01');
    await Promise.all(Array.from({ length: 5 }, () => withdraw(token, 'marketing')));
    expect(await actsOf(token)).toHaveLength(3);
    const events = await auditEventsOf(service.database, userId);
    const consents = events.filter(({ action }) => action.startsWith('consent.'));
    expect(consents.map(({ action, details }) => [action, details])).toEqual([
      ['consent.given', '{"purpose":"terms","version":"2026-02"}'],
      ['consent.given', '{"purpose":"marketing","version":"2026-01"}'],
      ['consent.withdrawn', '{"purpose":"marketing","version":"2026-01"}'],
    ]);
  });

  it('are given to what is asked for now, and to nothing else', async () => {
    const { token } = await account();
    for (const [purpose, version] of [['terms', '2026-01'] as const, ['invented', '1'] as const])
      expectProblem(await give(token, purpose, version), { status: 409, code: 'consent_version_unknown' });
    expect(await actsOf(token)).toEqual([]);
  });

  it('that the account cannot be without are not withdrawn, nor what was never given', async () => {
    const { token } = await account();
    await give(token, 'terms', '2026-02');
    expectProblem(await withdraw(token, 'terms'), { status: 409, code: 'consent_required' });
    expectProblem(await withdraw(token, 'marketing'), { status: 404, code: 'consent_not_found' });
    expect(await actsOf(token)).toEqual(['terms@2026-02 given']);
  });

  it('tell their owner where they came from, and nobody else', async () => {
    const { token } = await account();
    await give(token, 'marketing', '2026-01', { 'user-agent': 'Sentinel/7 (Consent)' });
    expect((await read(token)).history[0]).toMatchObject({
      ...{ source: 'account', userAgent: 'Sentinel/7 (Consent)' },
      ip: expect.stringMatching(/./),
    });
    expect(await databaseText(service)).not.toContain('Sentinel/7');
    const other = await account();
    expect(await actsOf(other.token)).toEqual([]);
  });

  it('cannot be rewritten in the database', async () => {
    const { token } = await account();
    await give(token, 'marketing', '2026-01');
    await expect(service.database.query(`UPDATE consent_records SET act = 'WITHDRAWN'`)).rejects.toThrow(/append-only/);
  });
});
