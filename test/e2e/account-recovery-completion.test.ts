import { beforeAll, describe, expect, it } from '@jest/globals';

import { auditEventsOf } from '../support/audit';
import { smsNow, smsTo } from '../support/contact';
import { listFactors, MFA_DISABLED_SUBJECT, type Protected, protectedPerson } from '../support/mfa';
import { logIn } from '../support/people';
import { expectProblem } from '../support/problems';
import { fullProof } from '../support/proofs';
import {
  approve,
  begunRecovery,
  completeRecovery,
  mailedCompletionToken,
  reachablePerson,
  RECOVERY_ENDED_SUBJECT,
  RECOVERY_READY_SUBJECT,
  RECOVERY_SUBJECT,
  recoveryBecomes,
  recoveryState,
  reviewer,
  startRecovery,
} from '../support/recovery';
import { giveRoles } from '../support/staff';
import { useTestService } from '../support/service';

/** Until the waiting period is over, support approves, or a token expires. */
const LIFE_MS = 30_000;
const INVALID_TOKEN = { status: 422, code: 'invalid_recovery_token' };
const CLOSED = { status: 410, code: 'recovery_closed' };

describe('an account recovery', () => {
  const service = useTestService({
    env: {
      MFA_RECOVERY_WAIT: '8s',
      MFA_RECOVERY_APPROVAL_WITHIN: '12s',
      MFA_RECOVERY_TOKEN_EXPIRES_IN: '12s',
      LOCKOUT_FREE_FAILURES: '50',
    },
  });
  let owner: Protected & { phone: string };
  let support: Protected;
  let admin: Protected;
  const others: Record<'late' | 'never' | 'unused' | 'twice' | 'both' | 'staff', Protected> = {} as never;

  beforeAll(async () => {
    owner = await reachablePerson(service);
    support = await reviewer(service, 'SUPPORT');
    admin = await reviewer(service, 'ADMIN');
    for (const name of ['late', 'never', 'unused', 'twice', 'both', 'staff'] as const)
      others[name] = await protectedPerson(service);
  }, 60_000);

  it('waits, tells every channel, needs support, and then the token and the password', async () => {
    const before = (await smsNow(service, owner.phone)).length;
    const started = await startRecovery(service, owner);
    expect(started).toMatchObject({ status: 202, body: { status: 'waiting' } });
    const id = started.body.recoveryId as string;
    await service.mailbox.waitFor(owner.person.email, RECOVERY_SUBJECT);
    await smsTo(service, owner.phone, before + 1);

    // An approval ends no waiting.
    expect((await approve(service, support.token, id)).status).toBe(204);
    await service.mailbox.waitFor(owner.person.email, RECOVERY_SUBJECT, 2);
    expect(await recoveryState(service, id)).toBe('WAITING');
    const token = await mailedCompletionToken(service, owner.person.email);
    await smsTo(service, owner.phone, before + 3);

    expectProblem(await completeRecovery(service, token, 'not the password'), {
      status: 401,
      code: 'invalid_credentials',
    });
    expectProblem(await completeRecovery(service, 'A'.repeat(43), owner.person.password), INVALID_TOKEN);
    const key = { 'idempotency-key': crypto.randomUUID() };
    expect((await completeRecovery(service, token, owner.person.password, key)).status).toBe(204);
    expect((await completeRecovery(service, token, owner.person.password, key)).status).toBe(204);
    expectProblem(await completeRecovery(service, token, owner.person.password), INVALID_TOKEN);
    expect((await listFactors(service, owner.token)).status).toBe(401);
    const { body } = await logIn(service, owner.person);
    expect((await listFactors(service, body.accessToken as string)).body).toEqual({
      factors: [],
      recoveryCodesLeft: 0,
    });
    await service.mailbox.waitFor(owner.person.email, MFA_DISABLED_SUBJECT);
    await smsTo(service, owner.phone, before + 4);
    expect(await service.mailbox.to(owner.person.email, RECOVERY_SUBJECT)).toHaveLength(2);
    expect(await service.mailbox.to(owner.person.email, RECOVERY_READY_SUBJECT)).toHaveLength(1);
    expect(await smsNow(service, owner.phone)).toHaveLength(before + 4);
    const actions = (await auditEventsOf(service.database, owner.userId)).map(({ action }) => action);
    for (const action of ['requested', 'approved', 'failed', 'completed'])
      expect(actions.filter((other) => other === `mfa.recovery_${action}`)).toHaveLength(1);
  }, 60_000);

  fullProof(
    'of others: approved late, by four eyes, never, and completed twice, against a cancel, or not at all',
    async () => {
      const { late, never, unused, twice, both, staff } = others;
      await giveRoles(service, staff.userId, ['SUPPORT']);
      const ids = {} as Record<keyof typeof others, string>;
      for (const [name, somebody] of Object.entries(others) as [keyof typeof others, Protected][])
        ids[name] = await begunRecovery(service, somebody);
      for (const name of ['unused', 'twice', 'both', 'staff'] as const)
        expect((await approve(service, support.token, ids[name])).status).toBe(204);
      await recoveryBecomes(service, ids.unused, 'READY');
      expect([await recoveryState(service, ids.late), await recoveryState(service, ids.staff)]).toEqual([
        'WAITING',
        'WAITING',
      ]);
      for (const id of [ids.late, ids.staff]) expect((await approve(service, admin.token, id)).status).toBe(204);
      // Once more is no other.
      expect((await approve(service, admin.token, ids.staff)).status).toBe(204);
      for (const somebody of [late, staff]) {
        const token = await mailedCompletionToken(service, somebody.person.email);
        expect((await completeRecovery(service, token, somebody.person.password)).status).toBe(204);
      }

      const token = await mailedCompletionToken(service, twice.person.email);
      const ends = await Promise.all([1, 2].map(() => completeRecovery(service, token, twice.person.password)));
      expect(ends.map(({ status }) => status).sort()).toEqual([204, 422]);
      const raced = await mailedCompletionToken(service, both.person.email);
      const [completed] = await Promise.all([
        completeRecovery(service, raced, both.person.password),
        service.http.send('DELETE', '/v1/auth/mfa/recovery', { token: both.token }),
      ]);
      const state = await recoveryState(service, ids.both);
      expect([completed.status, state]).toEqual(completed.status === 204 ? [204, 'COMPLETED'] : [422, 'CANCELLED']);
      const { rows } = await service.database.query('SELECT 1 FROM factors WHERE user_id = $1', [both.userId]);
      expect(rows).toHaveLength(completed.status === 204 ? 0 : 1);

      const used = await mailedCompletionToken(service, unused.person.email);
      await recoveryBecomes(service, ids.unused, 'EXPIRED', LIFE_MS);
      expectProblem(await completeRecovery(service, used, unused.person.password), INVALID_TOKEN);
      await recoveryBecomes(service, ids.never, 'EXPIRED', LIFE_MS);
      expectProblem(await approve(service, support.token, ids.never), CLOSED);
      await service.mailbox.waitFor(never.person.email, RECOVERY_ENDED_SUBJECT);
      expect((await listFactors(service, never.token)).body.factors).toHaveLength(1);
    },
    60_000,
  );
});
