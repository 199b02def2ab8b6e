import { beforeAll, describe, expect, it } from '@jest/globals';

import { askPhone, confirmPhone, join, type Member, smsCode } from '../support/contact';
import { eventually } from '../support/eventually';
import { appCode, confirm, enroll, listFactors, type Protected, protectedPerson } from '../support/mfa';
import { forgot, mailedToken, resetPassword } from '../support/passwords';
import { logIn, mailedCode, newPerson, newPhone, register, verify } from '../support/people';
import { expectProblem } from '../support/problems';
import {
  approve,
  begunRecovery,
  completeRecovery,
  mailedCompletionToken,
  RECOVERY_SUBJECT,
  recoveryState,
  reviewer,
} from '../support/recovery';
import { useTimeSkippingService } from '../support/time-skipping';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const NEW_PASSWORD = 'quite another long secret';

/**
 * The lives that production has, on a Temporal that skips what nobody waits for. All begins at once, and the tests follow one
 * another on its clock; the database and the processes stay in our time, so only a timer can have ended anything.
 */
describe('the timers of the processes, at their real lengths', () => {
  const service = useTimeSkippingService();
  const visitor = newPerson();
  let member: Member;
  let registrationId: string;
  let verificationCode: string;
  let enrollment: { enrollmentId: string; secret: string };
  let firstLink: string;
  let secondLink: string;
  const phone = newPhone();
  let smsText: string;
  let minutes = 0;

  beforeAll(async () => {
    member = await join(service);
    registrationId = (await register(service, visitor)).body.registrationId as string;
    verificationCode = await mailedCode(service, visitor.email);
    enrollment = (await enroll(service, member.token)).body as typeof enrollment;
    await askPhone(service, member.token, phone);
    smsText = await smsCode(service, phone);
    await forgot(service, member.person.email);
    firstLink = await mailedToken(service, member.person.email);
  }, 60_000);

  /** Moves Temporal's clock to so many minutes after the beginning. */
  const goTo = async (minute: number): Promise<void> => {
    await service.skip((minute - minutes) * MINUTE);
    minutes = minute;
  };
  const newestOf = async (table: string): Promise<string | undefined> => {
    const { rows } = await service.database.query<{ status: string }>(
      `SELECT status::text FROM ${table} ORDER BY created_at DESC LIMIT 1`,
    );
    return rows[0]?.status;
  };
  const becomes = (table: string, status: string): Promise<true> =>
    eventually(`${table} to be ${status}`, async () => (await newestOf(table)) === status && true);

  it('another link can be asked for after a minute, and takes the place of the first', async () => {
    await goTo(0.9);
    await forgot(service, member.person.email);
    await goTo(1.1);
    // The database has a minute of its own, in our time.
    await service.database.query(`UPDATE password_resets SET last_issued_at = last_issued_at - interval '61 seconds'`);
    await forgot(service, member.person.email);
    secondLink = await mailedToken(service, member.person.email, 2);
    expectProblem(await resetPassword(service, firstLink, NEW_PASSWORD), { status: 422, code: 'invalid_reset_token' });
  });

  it('an enrolment and a change of the phone wait for ten minutes', async () => {
    await goTo(9.5);
    expect([await newestOf('mfa_enrollments'), await newestOf('contact_changes')]).toEqual(['OPEN', 'OPEN']);
    await goTo(10.5);
    await becomes('mfa_enrollments', 'ENDED');
    await becomes('contact_changes', 'EXPIRED');
    const { enrollmentId, secret } = enrollment;
    expectProblem(await confirm(service, member.token, enrollmentId, appCode(secret)), {
      status: 410,
      code: 'enrollment_ended',
    });
    expectProblem(await confirmPhone(service, member.token, smsText), { status: 422, code: 'invalid_code' });
  });

  it('a link waits for fifteen minutes after the last mail', async () => {
    await goTo(14.5);
    expect(await newestOf('password_resets')).toBe('OPEN');
    await goTo(16.5);
    await becomes('password_resets', 'EXPIRED');
    expectProblem(await resetPassword(service, secondLink, NEW_PASSWORD), { status: 422, code: 'invalid_reset_token' });
  });

  it('a registration waits for 24 hours, and leaves nothing of the person', async () => {
    await goTo((24 * HOUR) / MINUTE - 5);
    expect(await newestOf('registrations')).toBe('VERIFICATION_PENDING');
    await goTo((24 * HOUR) / MINUTE + 1);
    await becomes('registrations', 'EXPIRED');
    expectProblem(await verify(service, registrationId, verificationCode), {
      status: 410,
      code: 'registration_expired',
    });
    const { rows } = await service.database.query(
      'SELECT email_index, profile_ciphertext, password_hash_ciphertext FROM registrations WHERE id = $1',
      [registrationId],
    );
    expect(rows).toEqual([{ email_index: null, profile_ciphertext: null, password_hash_ciphertext: null }]);
  });
});

describe('the waiting period of an account recovery', () => {
  const service = useTimeSkippingService();
  let owner: Protected;
  let support: Protected;
  let recoveryId: string;

  beforeAll(async () => {
    owner = await protectedPerson(service);
    support = await reviewer(service, 'SUPPORT');
    recoveryId = await begunRecovery(service, owner);
    await service.mailbox.waitFor(owner.person.email, RECOVERY_SUBJECT);
  }, 60_000);

  it('is 72 hours, with reminders half-way and a day before the end; an approval does not shorten it', async () => {
    expect((await approve(service, support.token, recoveryId)).status).toBe(204);
    await service.skip(37 * HOUR);
    await service.mailbox.waitFor(owner.person.email, RECOVERY_SUBJECT, 2);
    await service.skip(12 * HOUR);
    await service.mailbox.waitFor(owner.person.email, RECOVERY_SUBJECT, 3);
    await service.skip(22 * HOUR);
    expect(await recoveryState(service, recoveryId)).toBe('WAITING');
    await service.skip(2 * HOUR);
    const token = await mailedCompletionToken(service, owner.person.email);
    expect((await completeRecovery(service, token, owner.person.password)).status).toBe(204);
    const { body } = await logIn(service, owner.person);
    expect((await listFactors(service, body.accessToken as string)).body.factors).toEqual([]);
  });
});
