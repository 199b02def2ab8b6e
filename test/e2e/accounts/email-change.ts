import { describe, expect, it } from '@jest/globals';

import { auditEventsOf } from '../../support/audit';
import {
  askEmail,
  confirmEmail,
  EMAIL_CHANGED_SUBJECT,
  EMAIL_CODE_SUBJECT,
  EMAIL_REQUESTED_SUBJECT,
  EMAIL_TAKEN_SUBJECT,
  emailCode,
  join,
  letTimePass,
  me,
} from '../../support/contact';
import { eventually } from '../../support/eventually';
import {
  ALREADY_REGISTERED_SUBJECT,
  logIn,
  mailedCode,
  newPerson,
  register,
  signUp,
  verify,
  wrongCode,
} from '../../support/people';
import { changePassword, forgot, mailedToken, RESET_SUBJECT, resetPassword } from '../../support/passwords';
import { complaints, expectProblem } from '../../support/problems';
import { useSharedService } from '../../support/service';

const service = useSharedService();
const INVALID_CODE = { status: 422, code: 'invalid_code' };
const INVALID_CREDENTIALS = { status: 401, code: 'invalid_credentials' };
const settle = () => new Promise((resolve) => setTimeout(resolve, 1_500));
const newEmail = () => newPerson().email;

const reasonOf = async (sessionId: string) => {
  const { rows } = await service.database.query('SELECT ended_by FROM sessions WHERE id = $1', [sessionId]);
  return (rows[0] as { ended_by: string | null }).ended_by;
};

describe('a change of the e-mail address', () => {
  it('is done by the code sent to the new address; the old one is told before and after, the new one after', async () => {
    const member = await join(service);
    const { token, person, userId } = member;
    const other = await logIn(service, person);
    const email = newEmail();
    const asked = await askEmail(service, member, ` ${email.toUpperCase()}`);
    expect([asked.status, asked.body]).toEqual([
      202,
      { status: 'verification_pending', expiresAt: expect.any(String) },
    ]);
    const [warning] = await service.mailbox.waitFor(person.email, EMAIL_REQUESTED_SUBJECT);
    expect(warning?.text).not.toContain(email);
    expect(warning?.text).toContain('change your password at once');
    expect((await me(service, token)).body.email).toBe(person.email);

    const confirmed = await confirmEmail(service, token, await emailCode(service, email));
    expect(confirmed.status).toBe(200);
    expect(confirmed.body).toMatchObject({ id: userId, email, emailVerified: true });
    expect((await me(service, token)).body).toEqual(confirmed.body);
    // Every other session has ended, this one has not.
    expect((await me(service, other.body.accessToken as string)).status).toBe(401);
    expect(await reasonOf(other.body.sessionId as string)).toBe('EMAIL_CHANGED');
    expect((await logIn(service, { ...person, email })).status).toBe(200);
    expectProblem(await logIn(service, person), INVALID_CREDENTIALS);

    const [old] = await service.mailbox.waitFor(person.email, EMAIL_CHANGED_SUBJECT);
    expect(old?.text).toContain('call our customer service at once');
    await service.mailbox.waitFor(email, EMAIL_CHANGED_SUBJECT);
    await settle();
    expect(await service.mailbox.to(person.email, EMAIL_CHANGED_SUBJECT)).toHaveLength(1);
    expect(await service.mailbox.to(person.email, EMAIL_REQUESTED_SUBJECT)).toHaveLength(1);
    expect(await service.mailbox.to(email, EMAIL_CHANGED_SUBJECT)).toHaveLength(1);
    expect(await service.mailbox.to(email, EMAIL_CODE_SUBJECT)).toHaveLength(1);
  });

  it('is recorded with its origin; the addresses that it held are dropped', async () => {
    const member = await join(service);
    const email = newEmail();
    await askEmail(service, member, email);
    const code = await emailCode(service, email);
    await confirmEmail(service, member.token, wrongCode(code));
    await confirmEmail(service, member.token, code);
    const events = await auditEventsOf(service.database, member.userId);
    const own = events.filter(({ action }) => action.startsWith('user.'));
    expect(own.map(({ action, outcome }) => [action, outcome])).toEqual([
      ['user.email_change_requested', 'success'],
      ['user.email_change_failed', 'failure'],
      ['user.email_changed', 'success'],
    ]);
    for (const event of own) expect(event.origin_ciphertext).toMatch(/^v2:/);
    await eventually('the addresses to be dropped', async () => {
      const { rows } = await service.database.query('SELECT * FROM contact_changes WHERE user_id = $1', [
        member.userId,
      ]);
      const [row] = rows as { contact_ciphertext: unknown; previous_ciphertext: unknown }[];
      return row?.contact_ciphertext === null && row.previous_ciphertext === null;
    });
  });

  it('frees the old address for others, and keeps the new one from them', async () => {
    const member = await join(service);
    const email = newEmail();
    await askEmail(service, member, email);
    await confirmEmail(service, member.token, await emailCode(service, email));
    await register(service, newPerson({ email }));
    await service.mailbox.waitFor(email, ALREADY_REGISTERED_SUBJECT);
    const { body } = await register(service, newPerson({ email: member.person.email }));
    const code = await mailedCode(service, member.person.email, 2);
    expect((await verify(service, body.registrationId as string, code)).status).toBe(201);
  });

  it('takes open password resets their power: those of the old address, and what is asked for with it later', async () => {
    const member = await join(service);
    const { person, token } = member;
    await forgot(service, person.email);
    const link = await mailedToken(service, person.email);
    const email = newEmail();
    await askEmail(service, member, email);
    await confirmEmail(service, token, await emailCode(service, email));
    const reset = await resetPassword(service, link, 'quite another long secret');
    expectProblem(reset, { status: 422, code: 'invalid_reset_token' });
    expect((await forgot(service, person.email)).status).toBe(202);
    await settle();
    expect(await service.mailbox.to(person.email, RESET_SUBJECT)).toHaveLength(1);
    expect(await service.mailbox.to(email, RESET_SUBJECT)).toEqual([]);
    await forgot(service, email);
    const fresh = await mailedToken(service, email);
    expect((await resetPassword(service, fresh, 'quite another long secret')).status).toBe(204);
  });

  it('needs the password; a wrong one is recorded, and nobody is told', async () => {
    const member = await join(service);
    const { token, userId, person } = member;
    const email = newEmail();
    const wrong = { token, person: { ...person, password: 'not this one' } };
    expectProblem(await askEmail(service, wrong, email), INVALID_CREDENTIALS, [email]);
    const failed = await auditEventsOf(service.database, userId, 'user.email_change_failed');
    expect(failed).toMatchObject([{ outcome: 'failure', details: '{"code":"invalid_credentials"}' }]);
    const bare = await service.http.post('/v1/users/me/email', { email }, { token });
    expectProblem(bare, { status: 400, code: 'validation_failed' });
    expect(complaints(bare)).toEqual(['/currentPassword']);
    await settle();
    expect(await service.mailbox.to(email)).toEqual([]);
    expect(await service.mailbox.to(person.email, EMAIL_REQUESTED_SUBJECT)).toEqual([]);
  });

  it('to the address that the account has changes nothing and ends no session', async () => {
    const member = await join(service);
    const { person, token } = member;
    const other = await logIn(service, person);
    await askEmail(service, member, person.email);
    expect((await confirmEmail(service, token, await emailCode(service, person.email))).status).toBe(200);
    expect((await me(service, other.body.accessToken as string)).status).toBe(200);
    await settle();
    expect(await service.mailbox.to(person.email, EMAIL_CHANGED_SUBJECT)).toEqual([]);
  });
});

describe('at the same moment', () => {
  it('password, profile, logins and the address may be changed: all of it holds, and the other sessions end', async () => {
    for (let round = 0; round < 5; round += 1) {
      const member = await join(service);
      const { person, token } = member;
      await forgot(service, person.email);
      await mailedToken(service, person.email);
      const email = newEmail();
      await askEmail(service, member, email);
      const code = await emailCode(service, email);
      const [confirmed, changed, patched, login] = await Promise.all([
        confirmEmail(service, token, code),
        changePassword(service, token, person.password, 'quite another long secret'),
        service.http.send('PATCH', '/v1/users/me', { token, body: { firstName: 'Sara' } }),
        logIn(service, person),
      ]);
      expect([confirmed.status, changed.status, patched.status]).toEqual([200, 204, 200]);
      // Whoever came too late with the old password or address is refused.
      expect([200, 401]).toContain(login.status);
      if (login.status === 200) expect((await me(service, login.body.accessToken as string)).status).toBe(401);
      expect((await me(service, token)).body).toMatchObject({ email, firstName: 'Sara' });
      expect((await logIn(service, { email, password: 'quite another long secret' })).status).toBe(200);
    }
  });
});

describe('an address of somebody else', () => {
  it('is asked for with the same answer; its owner is told, and no code moves it', async () => {
    const [owner, thief] = [await join(service), await join(service)];
    const asked = await askEmail(service, thief, owner.person.email);
    expect([asked.status, Object.keys(asked.body as object)]).toEqual([202, ['status', 'expiresAt']]);
    const [mail] = await service.mailbox.waitFor(owner.person.email, EMAIL_TAKEN_SUBJECT);
    expect(mail?.text).not.toMatch(/\b\d{6}\b/);
    // Its own mailbox tells the thief nothing either.
    await service.mailbox.waitFor(thief.person.email, EMAIL_REQUESTED_SUBJECT);
    for (let attempt = 0; attempt < 5; attempt += 1)
      expectProblem(await confirmEmail(service, thief.token, `00000${String(attempt)}`), INVALID_CODE);
    expectProblem(await confirmEmail(service, thief.token, '000009'), { status: 429, code: 'too_many_attempts' });
    expect((await me(service, owner.token)).body.email).toBe(owner.person.email);
  });

  it('that they register while the code is on its way stays theirs', async () => {
    const member = await join(service);
    const email = newEmail();
    await askEmail(service, member, email);
    const code = await emailCode(service, email);
    expect((await signUp(service, newPerson({ email }))).status).toBe(201);
    expectProblem(await confirmEmail(service, member.token, code), INVALID_CODE);
    expect((await me(service, member.token)).body.email).toBe(member.person.email);
  });

  it('asked for by two accounts goes to one of them', async () => {
    const members = [await join(service), await join(service)] as const;
    const email = newEmail();
    await askEmail(service, members[0], email);
    await askEmail(service, members[1], email);
    const mails = await service.mailbox.waitFor(email, EMAIL_CODE_SUBJECT, 2);
    const codes = mails.map(({ text }) => /^\d{6}$/m.exec(text)?.[0] ?? '');
    const tries = members.flatMap(({ token }) => codes.map((code) => confirmEmail(service, token, code)));
    const answers = await Promise.all(tries);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    const addresses = await Promise.all(
      members.map(async ({ token }) => (await me(service, token)).body.email as string),
    );
    expect(addresses.filter((address) => address === email)).toHaveLength(1);
  });
});

describe('the limits of addresses', () => {
  it('one a minute and five a day for an account; a later request replaces the code', async () => {
    const member = await join(service);
    const emails = Array.from({ length: 5 }, newEmail);
    for (const email of emails) {
      expect((await askEmail(service, member, email)).status).toBe(202);
      expectProblem(await askEmail(service, member, newEmail()), { status: 429, code: 'resend_too_soon' });
      await letTimePass(service, member.userId);
    }
    expectProblem(await askEmail(service, member, newEmail()), { status: 429, code: 'resend_limit_reached' });
    const [first = '', last = ''] = [emails[0], emails[4]];
    expectProblem(await confirmEmail(service, member.token, await emailCode(service, first)), INVALID_CODE);
    expect((await confirmEmail(service, member.token, await emailCode(service, last))).body.email).toBe(last);
  });
});
