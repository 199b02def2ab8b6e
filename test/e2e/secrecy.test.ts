import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { describe, expect, it } from '@jest/globals';
import { temporal } from '@temporalio/proto';
import { Redis } from 'ioredis';

import {
  askEmail,
  askPhone,
  confirmEmail,
  confirmPhone,
  EMAIL_CHANGED_SUBJECT,
  emailCode,
  join as joinService,
  letHoldPass,
  provePhone,
  smsCode,
  smsTo,
} from '../support/contact';
import { eventually } from '../support/eventually';
import {
  appCode,
  askLoginCode,
  askStepUpCode,
  completeLogin,
  confirm,
  enroll,
  enrollSent,
  letStepsPass,
  mailedFactorCode,
  protectedPerson,
  staleCode,
  stepUp,
} from '../support/mfa';
import {
  completeRegistration,
  completeStepUp,
  loginOptions,
  registrationOptions,
  showPasskey,
  stepUpOptions,
} from '../support/passkeys';
import { changePassword, forgot, mailedToken, PASSWORD_CHANGED_SUBJECT, resetPassword } from '../support/passwords';
import { logIn, mailedCode, newPerson, register, signUp, verify, WELCOME_SUBJECT, wrongCode } from '../support/people';
import {
  approve,
  begunRecovery,
  cancelByToken,
  completeRecovery,
  mailedCancelToken,
  mailedCompletionToken,
  reviewer,
} from '../support/recovery';
import { useTestService } from '../support/service';
import { createSoftAuthenticator } from '../support/soft-authenticator';
import { withTemporal } from '../support/temporal';

const person = newPerson({
  email: 'sentinel.person@sentinel-mail.et',
  password: 'SENTINEL-password-7319',
  phone: '+251977310554',
  faydaId: '7310554419283746',
  firstName: 'Sentinelfirst',
  lastName: 'Sentinellast',
});

const RESET_PASSWORD = 'SENTINEL-reset-password-8420';
const CHANGED_PASSWORD = 'SENTINEL-changed-password-9531';

const NEW_PHONE = '+251988431775';
const NEW_EMAIL = 'sentinel.moved@sentinel-mail.et';

describe('what a registration leaves behind', () => {
  const service = useTestService({
    env: { LOG_LEVEL: 'trace', MFA_RECOVERY_WAIT: '3s', MFA_REMEMBER_DEVICE_FOR: '1h' },
  });

  /** Everything readable without keys, by where it stands. */
  const places: Record<string, () => Promise<string>> = {
    'the histories and the visibility of Temporal': () =>
      withTemporal(service, async (client) => {
        const texts: string[] = [];
        for await (const { workflowId, runId, raw } of client.workflow.list()) {
          const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
          texts.push(Buffer.from(temporal.api.history.v1.History.encode(history).finish()).toString('latin1'));
          texts.push(
            Buffer.from(temporal.api.workflow.v1.WorkflowExecutionInfo.encode(raw).finish()).toString('latin1'),
          );
        }
        return texts.join('\n');
      }),
    Redis: async () => {
      const redis = new Redis({
        host: service.stack.env['REDIS_HOST'] ?? '',
        port: Number(service.stack.env['REDIS_PORT']),
      });
      try {
        const keys = await redis.keys('*');
        const dumps = await Promise.all(
          keys.map(async (key) => `${key} ${(await redis.dumpBuffer(key)).toString('latin1')}`),
        );
        const hashes = await Promise.all(
          keys.map(async (key) => ((await redis.type(key)) === 'hash' ? JSON.stringify(await redis.hgetall(key)) : '')),
        );
        return [...dumps, ...hashes].join('\n');
      } finally {
        redis.disconnect();
      }
    },
    'the logs of every process': async () => {
      // The mail catcher is the people's mailbox: it tells whom it got mail for.
      const files = (await readdir(service.stack.logDir)).filter((file) => file !== 'mail.log');
      const texts = await Promise.all(files.map((file) => readFile(join(service.stack.logDir, file), 'utf8')));
      return texts.join('\n');
    },
    'the text of the database': async () => {
      const { rows: tables } = await service.database.query<{ name: string }>(
        `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'`,
      );
      const dumps = await Promise.all(
        tables.map(async ({ name }) => {
          const { rows } = await service.database.query<{ line: string }>(`SELECT t::text AS line FROM "${name}" t`);
          return rows.map(({ line }) => `${name} ${line}`).join('\n');
        }),
      );
      return dumps.join('\n');
    },
    'the metrics': async () => {
      const ports = [service.stack.ports.api, service.stack.ports.workerMetrics, service.stack.ports.consumerMetrics];
      const texts = await Promise.all(
        ports.map(async (port) => (await fetch(`http://127.0.0.1:${String(port)}/metrics`)).text()),
      );
      return texts.join('\n');
    },
  };

  /** The phone is changed by the second code, then (as if the hold had passed) the address; both are asked for once more. */
  const changeContacts = async (): Promise<string[]> => {
    const { body } = await logIn(service, { ...person, password: CHANGED_PASSWORD });
    const token = body.accessToken as string;
    const { id: userId } = (await service.http.get('/v1/users/me', { token })).body as { id: string };
    await askPhone(service, token, NEW_PHONE);
    const phoneCode = await smsCode(service, NEW_PHONE);
    await confirmPhone(service, token, wrongCode(phoneCode));
    expect((await confirmPhone(service, token, phoneCode)).status).toBe(200);
    await smsTo(service, NEW_PHONE, 2);
    await letHoldPass(service, userId, '73 hours');
    await askEmail(service, { token, person: { ...person, password: CHANGED_PASSWORD } }, NEW_EMAIL);
    const mailCode = await emailCode(service, NEW_EMAIL);
    await confirmEmail(service, token, wrongCode(mailCode));
    expect((await confirmEmail(service, token, mailCode)).status).toBe(200);
    await service.mailbox.waitFor(person.email, EMAIL_CHANGED_SUBJECT);
    // Of somebody else, who is told by SMS.
    const other = (await signUp(service, newPerson())).body.accessToken as string;
    await askPhone(service, other, NEW_PHONE);
    await smsTo(service, NEW_PHONE, 3);
    return [phoneCode, mailCode];
  };

  /** Wrong and right codes of an enrolment, a login and a step-up; recovery codes of which one is used. */
  const useSecondFactor = async () => {
    const somebody = newPerson();
    const { body: account } = await signUp(service, somebody);
    const [token, userId] = [account.accessToken as string, account.user.id as string];
    const { body: enrollment } = await enroll(service, token, { label: 'Sentinellabel' });
    const { enrollmentId, secret } = enrollment as { enrollmentId: string; secret: string };
    const [wrong, right] = [staleCode(secret), appCode(secret)];
    await confirm(service, token, enrollmentId, wrong);
    const confirmed = await confirm(service, token, enrollmentId, right);
    expect(confirmed.status).toBe(200);
    const recoveryCodes = confirmed.body.recoveryCodes as string[];
    await letStepsPass(service, userId);
    const begin = async () => (await logIn(service, somebody)).body.mfaToken as string;
    const mfaToken = await begin();
    expect((await completeLogin(service, mfaToken, right)).status).toBe(200);
    expect((await completeLogin(service, await begin(), recoveryCodes[0] ?? '', 'recovery_code')).status).toBe(200);
    await stepUp(service, token, wrong);
    const plain = recoveryCodes.map((each) => each.replaceAll('-', ''));
    return { codes: [wrong, right], texts: [secret, mfaToken, 'Sentinellabel', ...recoveryCodes, ...plain] };
  };

  /** Challenges of a registration, of logins and of a step-up, answered and not, and the answers. */
  const usePasskey = async (): Promise<string[]> => {
    const { origin } = new URL(service.stack.env['PUBLIC_URL'] ?? '');
    const { token } = await joinService(service);
    const made = createSoftAuthenticator({ origin });
    const { body: begun } = await registrationOptions(service, token, { label: 'Sentinelpasskey' });
    const created = made.create(begun.publicKey);
    expect((await completeRegistration(service, token, begun.enrollmentId, created)).status).toBe(200);
    const [{ body: first }, { body: open }] = [await loginOptions(service), await loginOptions(service)];
    const shown = made.get(first.publicKey);
    expect((await showPasskey(service, shown)).status).toBe(200);
    const { body: raise } = await stepUpOptions(service, token);
    const wrong = made.get(raise.publicKey, { flags: ['up'] });
    expect((await completeStepUp(service, token, wrong)).status).toBe(422);
    const challenges = [begun, first, open, raise].map(({ publicKey }) => publicKey.challenge as string);
    const answers = [created, shown, wrong].map(({ response }) => response.clientDataJSON);
    const hex = challenges.map((each) => Buffer.from(each, 'base64url').toString('hex'));
    return ['Sentinelpasskey', ...challenges, ...hex, ...answers, shown.response.signature];
  };

  /** Codes of second factors by mail and by SMS: of an enrolment, a login and a step-up, right and wrong. */
  const useSentFactors = async (): Promise<string[]> => {
    const member = await joinService(service);
    const phone = await provePhone(service, member);
    await enrollSent(service, member);
    const enrolled = await mailedFactorCode(service, member.person.email);
    const mfaToken = (await logIn(service, member.person)).body.mfaToken as string;
    await askLoginCode(service, mfaToken, 'email_otp');
    const mailed = await mailedFactorCode(service, member.person.email, 2);
    await completeLogin(service, mfaToken, wrongCode(mailed), 'email_otp');
    const opened = await completeLogin(service, mfaToken, mailed, 'email_otp');
    expect(opened.status).toBe(200);
    const token = opened.body.accessToken as string;
    await enrollSent(service, { ...member, token }, phone);
    await askStepUpCode(service, token, 'sms_otp');
    const texted = await smsCode(service, phone, 3);
    expect((await stepUp(service, token, texted, 'sms_otp')).status).toBe(200);
    return [enrolled, mailed, wrongCode(mailed), await smsCode(service, phone, 2), texted];
  };

  /** Two recoveries: one is stopped by its link, one is approved and completed; and a device that is remembered. */
  const recover = async (): Promise<string[]> => {
    const [stopped, owner, support] = [
      await protectedPerson(service),
      await protectedPerson(service),
      await reviewer(service, 'SUPPORT'),
    ];
    const headers = { 'x-device-id': 'sentinel-device-1' };
    const { email, password } = owner.person;
    const begun = await service.http.post('/v1/auth/login', { email, password }, { headers });
    const full = {
      mfaToken: begun.body.mfaToken as string,
      factor: 'totp',
      code: appCode(owner.secret),
      rememberDevice: true,
    };
    const remembered = await service.http.post('/v1/auth/login/mfa', full, { headers });
    expect(remembered).toMatchObject({ status: 200, body: { deviceToken: expect.any(String) } });
    await begunRecovery(service, stopped);
    const cancelToken = await mailedCancelToken(service, stopped.person.email);
    expect((await cancelByToken(service, cancelToken)).status).toBe(204);
    const id = await begunRecovery(service, owner);
    expect((await approve(service, support.token, id)).status).toBe(204);
    const token = await mailedCompletionToken(service, owner.person.email);
    await completeRecovery(service, token, 'SENTINEL-not-the-password');
    expect((await completeRecovery(service, token, owner.person.password)).status).toBe(204);
    return [cancelToken, token, remembered.body.deviceToken as string];
  };

  it('is nowhere readable: no password, Fayda ID, phone, name or code', async () => {
    // A code that was wrong, the right one, a taken address, a failed login: the paths that errors take as well.
    const { body } = await register(service, person);
    const registrationId = body.registrationId as string;
    const code = await mailedCode(service, person.email);
    await verify(service, registrationId, wrongCode(code));
    const verified = await verify(service, registrationId, code);
    expect(verified.status).toBe(201);
    await service.mailbox.waitFor(person.email, WELCOME_SUBJECT);
    const second = newPerson({ ...person, email: 'sentinel.second@sentinel-mail.et' });
    await register(service, second);
    await service.mailbox.waitFor(second.email, /could not be completed/);
    await logIn(service, { ...person, password: `${person.password}x` });
    const login = await logIn(service, person);
    // Errors of the database, with everything that a driver might put into them.
    await service.database.query('ALTER TABLE sessions RENAME TO sessions_away');
    expect((await logIn(service, person)).status).toBe(500);
    await service.database.query('ALTER TABLE sessions_away RENAME TO sessions');
    await signUp(service, newPerson());
    await forgot(service, person.email);
    const resetToken = await mailedToken(service, person.email);
    await resetPassword(service, resetToken, 'SENTINEL-person');
    await resetPassword(service, resetToken, RESET_PASSWORD);
    await service.mailbox.waitFor(person.email, PASSWORD_CHANGED_SUBJECT);
    const { body: again } = await logIn(service, { ...person, password: RESET_PASSWORD });
    await changePassword(service, again.accessToken as string, 'SENTINEL-wrong-7319', CHANGED_PASSWORD);
    await changePassword(service, again.accessToken as string, RESET_PASSWORD, CHANGED_PASSWORD);
    await service.mailbox.waitFor(person.email, PASSWORD_CHANGED_SUBJECT, 2);
    const secondFactor = await useSecondFactor();
    secondFactor.texts.push(...(await usePasskey()));
    secondFactor.texts.push(...(await recover()));
    const sentCodes = await useSentFactors();
    const contactCodes = await changeContacts();

    const secrets = {
      password: person.password,
      resetPassword: RESET_PASSWORD,
      changedPassword: CHANGED_PASSWORD,
      refusedPasswords: 'SENTINEL-',
      resetToken,
      faydaId: person.faydaId ?? '',
      phone: '977310554',
      newPhone: NEW_PHONE.slice(4),
      newEmail: 'sentinel.moved',
      firstName: person.firstName ?? '',
      lastName: person.lastName ?? '',
      ...Object.fromEntries(secondFactor.texts.map((text, index) => [`secondFactor${String(index)}`, text])),
      refreshToken: login.body.refreshToken as string,
      accessToken: (login.body.accessToken as string).split('.')[2] ?? '',
    };
    for (const [place, read] of Object.entries(places)) {
      const text = await eventually(`something to read in ${place}`, read);
      const found = Object.entries(secrets).filter(([, secret]) => text.includes(secret));
      expect({ place, found: found.map(([name]) => name) }).toEqual({ place, found: [] });
      // Six digits stand in many numbers by chance; as a word of its own the code must not.
      const asWord = [code, ...contactCodes, ...secondFactor.codes, ...sentCodes].join('|');
      const codes = text.match(new RegExp(`(?<![0-9A-Za-z.:_-])(${asWord})(?![0-9A-Za-z.:_-])`, 'g')) ?? [];
      expect({ place, codes }).toEqual({ place, codes: [] });
      // Redis has the address, in the payload that the contract defines, and only there.
      if (place !== 'Redis') expect({ place, email: text.includes(person.email) }).toEqual({ place, email: false });
    }
  });

  it('is not in the files of Temporal and Postgres either', async () => {
    const grep = promisify(execFile);
    const dataDir = join(service.stack.logDir, '..', 'data');
    for (const folder of ['temporal', 'postgres']) {
      for (const secret of [
        ...['SENTINEL-', person.faydaId ?? '', '977310554', 'Sentinelfirst', person.email],
        ...[NEW_PHONE.slice(4), NEW_EMAIL],
      ]) {
        // Exit code 1: no match.
        await expect(grep('grep', ['-raq', secret, join(dataDir, folder)])).rejects.toMatchObject({ code: 1 });
      }
    }
  });
});
