/**
 * Records one history for each way a workflow can go, on a stack of its own:
 *
 *   npm run record:histories [-- <start of the names to record>]
 *
 * Run it after a change to a workflow that adds a path; never replace a history of a version that is still running somewhere.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { Client, Connection } from '@temporalio/client';
import { temporal } from '@temporalio/proto';

import { DATA_KEY_ROTATION } from '../../src/contracts/data-key-workflow';
import { NOTICE_SWEEP } from '../../src/contracts/notice-workflow';
import { RETENTION } from '../../src/contracts/retention-workflow';
import { orderDataKeyRotation, triggerRotation } from '../../src/temporal/schedules';
import { erased, requestErasure, restore } from '../support/erasure';
import { eventually } from '../support/eventually';
import {
  appCode,
  askLoginCode,
  cancel as cancelEnrollment,
  confirm,
  enroll,
  enrollSent,
  protectedPerson,
  staleCode,
} from '../support/mfa';
import {
  askEmail,
  askPhone,
  confirmEmail,
  confirmPhone,
  emailCode,
  join as joinService,
  letTimePass,
  provePhone,
  smsCode,
} from '../support/contact';
import { forgot, mailedToken, resetPassword } from '../support/passwords';
import {
  logIn,
  mailedCode,
  newFaydaId,
  newPerson,
  newPhone,
  register,
  signUp,
  verify,
  wrongCode,
} from '../support/people';
import { approve, begunRecovery, completeRecovery, deny, mailedCompletionToken, reviewer } from '../support/recovery';
import { withProtection } from '../support/protection';
import { startTestService, type TestService } from '../support/start-test-service';

import { withTemporal } from '../support/temporal';

import { REPLAY_KEY, REPLAY_KEY_ID } from './replay-keys';

const LIFE_SECONDS = 12;
/** Longer than the minute after which another link can be asked for. */
const RESET_LIFE_SECONDS = 75;
/** Temporal advises a new run after so many events; no other way of a workflow that takes the advice is as long. */
const ADVISED_EVENTS = 90;
const WANTED = process.argv[2] ?? '';

/** Temporal finds a workflow a moment after it was started. */
const VISIBILITY_LAG_MS = 1_500;

type Scenario = (service: TestService) => Promise<string>;

const registerSomeone = async (service: TestService, person = newPerson()) => {
  const { body } = await register(service, person);
  return { registrationId: body.registrationId as string, code: await mailedCode(service, person.email) };
};

const letAMinutePass = ({ database }: TestService, registrationId: string) =>
  database.query(`UPDATE registrations SET last_issued_at = last_issued_at - interval '61 seconds' WHERE id = $1`, [
    registrationId,
  ]);

/** JSON of a history; who ran it on which machine (worker identities, sticky task queues) is nobody's business. */
const withoutMachines = (history: temporal.api.history.v1.History): string =>
  JSON.stringify(history, undefined, 1).replace(/"\d+@[^"]*"/g, '"recorded"');

/** Without the service's codec: histories are written down as Temporal stores them. */
const withClient = async <T>({ stack }: TestService, work: (client: Client) => Promise<T>): Promise<T> => {
  const connection = await Connection.connect({ address: stack.env['TEMPORAL_ADDRESS'] ?? '' });
  try {
    return await work(new Client({ connection }));
  } finally {
    await connection.close();
  }
};

const REGISTRATIONS: Record<string, Scenario> = {
  completed: async (service) => {
    const { registrationId, code } = await registerSomeone(service);
    await verify(service, registrationId, code);
    return registrationId;
  },
  'completed-after-wrong-codes-and-a-resend': async (service) => {
    const person = newPerson();
    const { registrationId, code } = await registerSomeone(service, person);
    for (let attempt = 0; attempt < 6; attempt += 1) await verify(service, registrationId, wrongCode(code));
    await letAMinutePass(service, registrationId);
    await service.http.post(`/v1/auth/register/${registrationId}/resend`);
    await verify(service, registrationId, await mailedCode(service, person.email, 2));
    return registrationId;
  },
  expired: async (service) => (await registerSomeone(service)).registrationId,
  'expired-while-mail-was-away': async (service) => {
    await service.stack.mail?.stop();
    const { body } = await register(service, newPerson());
    await sleep((LIFE_SECONDS + 1) * 1_000);
    await service.stack.mail?.start();
    return body.registrationId as string;
  },
  'taken-fayda-id': async (service) => {
    const owner = newPerson({ faydaId: newFaydaId() });
    await signUp(service, owner);
    const { body } = await register(service, newPerson({ faydaId: owner.faydaId ?? '' }));
    await sleep(1_000);
    await verify(service, body.registrationId as string, '123456');
    return body.registrationId as string;
  },
  cancelled: async (service) => {
    const { registrationId } = await registerSomeone(service);
    await withClient(service, async (client) => {
      for await (const { workflowId } of client.workflow.list({ query: `RunId = '${registrationId}'` })) {
        await client.workflow.getHandle(workflowId).cancel();
      }
    });
    return registrationId;
  },
};

/** The newest run of this type. */
const newestRun = (service: TestService, workflowType: string): Promise<string> =>
  withClient(service, (client) =>
    eventually(`a run of ${workflowType}`, async () => {
      for await (const { runId } of client.workflow.list({ query: `WorkflowType = '${workflowType}'` })) return runId;
      return undefined;
    }),
  );

const SIGNING_KEYS: Record<string, Scenario> = {
  'rotation-v1.completed': async (service) => {
    // The first key, which the rotation retires.
    await service.http.get('/.well-known/jwks.json');
    await withClient(service, triggerRotation);
    return newestRun(service, 'signingKeyRotation');
  },
  'retirement-v1.completed': (service) => newestRun(service, 'signingKeyRetirement'),
};

const DATA_KEYS: Record<string, Scenario> = {
  completed: async (service) => {
    await signUp(service, newPerson());
    await withTemporal(service, orderDataKeyRotation);
    await sleep(VISIBILITY_LAG_MS);
    return newestRun(service, DATA_KEY_ROTATION.workflowType);
  },
  'nothing-due': async (service) => {
    await withClient(service, ({ schedule }) => schedule.getHandle(DATA_KEY_ROTATION.scheduleId).trigger());
    await sleep(VISIBILITY_LAG_MS);
    return newestRun(service, DATA_KEY_ROTATION.workflowType);
  },
};

/** Somebody with an account asks for a link. @returns the run's id, found once Temporal can */
const forgetPassword = async (service: TestService) => {
  const person = newPerson();
  await signUp(service, person);
  await forgot(service, person.email);
  const token = await mailedToken(service, person.email);
  await sleep(VISIBILITY_LAG_MS);
  return { email: person.email, token, runId: await newestRun(service, 'passwordReset') };
};
const NEW_PASSWORD = 'quite another long secret';

const PASSWORD_RESETS: Record<string, Scenario> = {
  completed: async (service) => {
    const { token, runId } = await forgetPassword(service);
    await resetPassword(service, token, NEW_PASSWORD);
    return runId;
  },
  'completed-with-the-second-link': async (service) => {
    const { email, runId } = await forgetPassword(service);
    await forgot(service, email);
    await sleep(61_000);
    await forgot(service, email);
    await resetPassword(service, await mailedToken(service, email, 2), NEW_PASSWORD);
    return runId;
  },
  'gone-on-in-a-new-run': async (service) => {
    const { email } = await forgetPassword(service);
    for (let round = 0; round < ADVISED_EVENTS / 3; round += 1) await forgot(service, email);
    return continuedRun(service, 'passwordReset');
  },
  expired: async (service) => (await forgetPassword(service)).runId,
  'expired-without-an-account': async (service) => {
    await forgot(service, newPerson().email);
    await sleep(VISIBILITY_LAG_MS);
    return newestRun(service, 'passwordReset');
  },
  cancelled: async (service) => {
    const { runId } = await forgetPassword(service);
    await withClient(service, async (client) => {
      for await (const { workflowId } of client.workflow.list({ query: `RunId = '${runId}'` })) {
        await client.workflow.getHandle(workflowId).cancel();
      }
    });
    return runId;
  },
};

/** As many notices of accounts that are no more, and a sweep that meets them. @returns the run's id */
const sweepOver = async (service: TestService, notices: number): Promise<string> => {
  await service.database.query(
    `INSERT INTO notice_outbox (event_id, name, user_id, created_at)
     SELECT gen_random_uuid(), 'password:changed', gen_random_uuid(), now() - interval '1 hour' FROM generate_series(1, $1)`,
    [notices],
  );
  await withClient(service, ({ schedule }) => schedule.getHandle(NOTICE_SWEEP.scheduleId).trigger());
  await sleep(VISIBILITY_LAG_MS);
  return newestRun(service, NOTICE_SWEEP.workflowType);
};
const NOTICE_SWEEPS: Record<string, Scenario> = {
  completed: (service) => sweepOver(service, 3),
  'completed-in-two-batches': (service) => sweepOver(service, 501),
};

const retentionRun = async (service: TestService): Promise<string> => {
  await withClient(service, ({ schedule }) => schedule.getHandle(RETENTION.scheduleId).trigger());
  await sleep(VISIBILITY_LAG_MS);
  return newestRun(service, RETENTION.workflowType);
};
const RETENTIONS: Record<string, Scenario> = {
  'nothing-is-over': retentionRun,
  dropped: async (service) => {
    await service.database.query(
      `INSERT INTO login_failures (key, failures, last_failed_at, expires_at)
       SELECT int4send(i), 1, now() - interval '9 days', now() - interval '9 days' FROM generate_series(1, 1500) AS i`,
    );
    return retentionRun(service);
  },
};

const eraseSomeone = async (service: TestService) => {
  const { body } = await signUp(service, newPerson());
  const [userId, token] = [body.user.id as string, body.accessToken as string];
  await requestErasure(service, token);
  const runId = await newestRun(service, 'accountErasure');
  return { userId, token, runId };
};
const DATA_EXPORTS: Record<string, Scenario> = {
  expired: async (service) => {
    const { body } = await signUp(service, newPerson());
    await service.http.post('/v1/users/me/exports', undefined, { token: body.accessToken as string });
    return newestRun(service, 'dataExport');
  },
};
const ACCOUNT_ERASURES: Record<string, Scenario> = {
  completed: async (service) => {
    const { userId, runId } = await eraseSomeone(service);
    await erased(service, userId);
    return runId;
  },
  'taken-back-by-its-owner': async (service) => {
    const { token, runId } = await eraseSomeone(service);
    await sleep(VISIBILITY_LAG_MS);
    await restore(service, token);
    return runId;
  },
};

const cancelRun = (service: TestService, runId: string) =>
  withClient(service, async (client) => {
    for await (const { workflowId } of client.workflow.list({ query: `RunId = '${runId}'` })) {
      await client.workflow.getHandle(workflowId).cancel();
    }
  });

/** The newest run, once Temporal can find it. */
const newestOnceVisible = async (service: TestService, workflowType: string): Promise<string> => {
  await sleep(VISIBILITY_LAG_MS);
  return newestRun(service, workflowType);
};
/** The run of this type that another one has followed. */
const continuedRun = (service: TestService, workflowType: string): Promise<string> =>
  withClient(service, (client) =>
    eventually(`a run of ${workflowType} that went on in another one`, async () => {
      const query = `WorkflowType = '${workflowType}' AND ExecutionStatus = 'ContinuedAsNew'`;
      for await (const { runId } of client.workflow.list({ query })) return runId;
      return undefined;
    }),
  );
/** Somebody new changes the phone. @returns the number */
const changePhone = async (service: TestService, phone = newPhone()): Promise<string> => {
  const { token } = await joinService(service);
  await askPhone(service, token, phone);
  await confirmPhone(service, token, await smsCode(service, phone));
  return phone;
};
const changeEmail = async (service: TestService): Promise<void> => {
  const member = await joinService(service);
  const { email } = newPerson();
  await askEmail(service, member, email);
  await confirmEmail(service, member.token, await emailCode(service, email));
};

const CONTACT_CHANGES: Record<string, Scenario> = {
  'phone-completed': async (service) => {
    await changePhone(service);
    return newestOnceVisible(service, 'contactChange');
  },
  'phone-completed-with-the-second-code': async (service) => {
    const { token, userId } = await joinService(service);
    const [first, second] = [newPhone(), newPhone()];
    await askPhone(service, token, first);
    const code = await smsCode(service, first);
    for (let attempt = 0; attempt < 6; attempt += 1) await confirmPhone(service, token, wrongCode(code));
    await askPhone(service, token, second);
    await letTimePass(service, userId);
    await askPhone(service, token, second);
    await confirmPhone(service, token, await smsCode(service, second));
    return newestOnceVisible(service, 'contactChange');
  },
  'phone-expired': async (service) => {
    await askPhone(service, (await joinService(service)).token, newPhone());
    return newestOnceVisible(service, 'contactChange');
  },
  'phone-refused': async (service) => {
    const { token } = await joinService(service);
    await askPhone(service, token, newPhone());
    const runId = await newestOnceVisible(service, 'contactChange');
    await cancelRun(service, runId);
    await fetchClosed(service, runId);
    // Less than a minute later, of a workflow that starts for it.
    await askPhone(service, token, newPhone());
    return newestOnceVisible(service, 'contactChange');
  },
  'phone-taken-over-from-an-account-that-never-proved-it': async (service) => {
    const phone = newPhone();
    await joinService(service, { phone });
    await changePhone(service, phone);
    return newestOnceVisible(service, 'contactChange');
  },
  'email-completed': async (service) => {
    await changeEmail(service);
    return newestOnceVisible(service, 'contactChange');
  },
  cancelled: async (service) => {
    await askPhone(service, (await joinService(service)).token, newPhone());
    const runId = await newestOnceVisible(service, 'contactChange');
    await cancelRun(service, runId);
    return runId;
  },
};

const CONTACT_NOTICES: Record<string, Scenario> = {
  'phone-changed': async (service) => {
    await changePhone(service);
    return newestOnceVisible(service, 'contactNotice');
  },
  'email-requested': async (service) => {
    await askEmail(service, await joinService(service), newPerson().email);
    return newestOnceVisible(service, 'contactNotice');
  },
  'email-changed': async (service) => {
    await changeEmail(service);
    return newestOnceVisible(service, 'contactNotice');
  },
};

const beginEnrollment = async (service: TestService) => {
  const { token } = await joinService(service);
  const { body } = await enroll(service, token);
  return { token, ...(body as { enrollmentId: string; secret: string }) };
};

const MFA_ENROLLMENTS: Record<string, Scenario> = {
  confirmed: async (service) => {
    await protectedPerson(service);
    return newestOnceVisible(service, 'mfaEnrollment');
  },
  'confirmed-after-wrong-codes-and-a-new-secret': async (service) => {
    const { token, enrollmentId, secret } = await beginEnrollment(service);
    await confirm(service, token, enrollmentId, staleCode(secret));
    const { body } = await enroll(service, token);
    const again = body as { enrollmentId: string; secret: string };
    await confirm(service, token, again.enrollmentId, staleCode(again.secret));
    await confirm(service, token, again.enrollmentId, appCode(again.secret));
    return newestOnceVisible(service, 'mfaEnrollment');
  },
  'ended-by-wrong-codes': async (service) => {
    const { token, enrollmentId, secret } = await beginEnrollment(service);
    for (let tries = 0; tries < 5; tries += 1) await confirm(service, token, enrollmentId, staleCode(secret));
    return newestOnceVisible(service, 'mfaEnrollment');
  },
  'cancelled-by-its-owner': async (service) => {
    const { token, enrollmentId } = await beginEnrollment(service);
    await cancelEnrollment(service, token, enrollmentId);
    return newestOnceVisible(service, 'mfaEnrollment');
  },
  expired: async (service) => {
    await beginEnrollment(service);
    return newestOnceVisible(service, 'mfaEnrollment');
  },
  'sent-and-confirmed': async (service) => {
    await enrollSent(service, await joinService(service));
    return newestOnceVisible(service, 'mfaEnrollment');
  },
  'sent-and-then-refused': async (service) => {
    const { token } = await joinService(service);
    const { body } = await enroll(service, token, { factor: 'email_otp' });
    await cancelEnrollment(service, token, body.enrollmentId as string);
    await sleep(VISIBILITY_LAG_MS);
    // Less than a minute later, of a workflow that starts for it.
    await enroll(service, token, { factor: 'email_otp' });
    return newestOnceVisible(service, 'mfaEnrollment');
  },
  'gone-on-in-a-new-run': async (service) => {
    const { token } = await beginEnrollment(service);
    for (let round = 0; round < ADVISED_EVENTS / 8; round += 1) await enroll(service, token);
    return continuedRun(service, 'mfaEnrollment');
  },
  'cancelled-by-an-operator': async (service) => {
    await beginEnrollment(service);
    const runId = await newestOnceVisible(service, 'mfaEnrollment');
    await cancelRun(service, runId);
    return runId;
  },
};

/** Somebody whose second factor is sent asks for a code. */
const askForCode = async (service: TestService, factor: 'email_otp' | 'sms_otp'): Promise<string> => {
  const member = await joinService(service);
  await enrollSent(service, member, factor === 'sms_otp' ? await provePhone(service, member) : undefined);
  await askLoginCode(service, (await logIn(service, member.person)).body.mfaToken as string, factor);
  return newestOnceVisible(service, 'factorCode');
};
const FACTOR_CODES: Record<string, Scenario> = {
  'mail-sent': (service) => askForCode(service, 'email_otp'),
  'sms-sent': (service) => askForCode(service, 'sms_otp'),
};

const newestRecovery = (service: TestService) => newestOnceVisible(service, 'accountRecovery');
const ACCOUNT_RECOVERIES: Record<string, Scenario> = {
  completed: async (service) => {
    const [owner, support] = [await protectedPerson(service), await reviewer(service, 'SUPPORT')];
    await approve(service, support.token, await begunRecovery(service, owner));
    const token = await mailedCompletionToken(service, owner.person.email, 60_000);
    await completeRecovery(service, token, owner.person.password);
    return newestRecovery(service);
  },
  'completed-after-a-late-approval': async (service) => {
    const owner = await protectedPerson(service);
    const id = await begunRecovery(service, owner);
    await sleep((LIFE_SECONDS + 1) * 1_000);
    // Now: an access token of this service lives for three seconds.
    const support = await reviewer(service, 'SUPPORT');
    await approve(service, support.token, id);
    const token = await mailedCompletionToken(service, owner.person.email);
    await completeRecovery(service, token, owner.person.password);
    return newestRecovery(service);
  },
  'cancelled-by-its-owner': async (service) => {
    const owner = await protectedPerson(service);
    await begunRecovery(service, owner);
    await service.http.send('DELETE', '/v1/auth/mfa/recovery', { token: owner.token });
    return newestRecovery(service);
  },
  denied: async (service) => {
    const [owner, support] = [await protectedPerson(service), await reviewer(service, 'SUPPORT')];
    await deny(service, support.token, await begunRecovery(service, owner));
    return newestRecovery(service);
  },
  expired: async (service) => {
    await begunRecovery(service, await protectedPerson(service));
    return newestRecovery(service);
  },
};
const RECOVERY_NOTICES: Record<string, Scenario> = {
  requested: async (service) => {
    await begunRecovery(service, await protectedPerson(service));
    return newestOnceVisible(service, 'accountRecoveryNotice');
  },
};

const named = (prefix: string, scenarios: Record<string, Scenario>) =>
  Object.entries(scenarios).map(([name, play]) => ({ name: `${prefix}${name}`, play }));
const SCENARIOS = [
  ...named('registration-v1.', REGISTRATIONS),
  ...named('password-reset-v1.', PASSWORD_RESETS),
  ...named('contact-change-v1.', CONTACT_CHANGES),
  ...named('mfa-enrollment-v1.', MFA_ENROLLMENTS),
  ...named('factor-code-v1.', FACTOR_CODES),
  ...named('contact-notice-v1.', CONTACT_NOTICES),
  ...named('notice-sweep-v1.', NOTICE_SWEEPS),
  ...named('retention-v1.', RETENTIONS),
  ...named('data-export-v1.', DATA_EXPORTS),
  ...named('account-erasure-v1.', ACCOUNT_ERASURES),
  ...named('account-recovery-v1.', ACCOUNT_RECOVERIES),
  ...named('account-recovery-notice-v1.', RECOVERY_NOTICES),
  ...named('data-key-rotation-v1.', DATA_KEYS),
  ...named('signing-key-', SIGNING_KEYS),
];

const fetchClosed = (service: TestService, runId: string) =>
  withClient(service, (client) =>
    eventually(
      `the end of ${runId}`,
      async () => {
        for await (const { workflowId, status } of client.workflow.list({ query: `RunId = '${runId}'` })) {
          if (status.name !== 'RUNNING') return client.workflow.getHandle(workflowId, runId).fetchHistory();
        }
        return undefined;
      },
      2 * RESET_LIFE_SECONDS * 1_000,
    ),
  );

/**
 * Before any process runs: what they encrypt for Temporal can be replayed without their root key. Never due, so that no
 * rotation that is recorded replaces it.
 */
const useReplayKey = ({ stack, database }: TestService): Promise<unknown> =>
  withProtection(stack, async ({ rootKey }) => {
    const wrapped = await rootKey.wrap(REPLAY_KEY, { id: REPLAY_KEY_ID, purpose: 'codec' });
    await database.query(
      `INSERT INTO data_keys (id, purpose, state, wrapped, created_at) VALUES ($1, 'codec', 'ACTIVE', $2, now() + interval '1 day')`,
      [REPLAY_KEY_ID, wrapped],
    );
  });

const main = async (): Promise<void> => {
  const service = await startTestService({
    processes: [],
    temporalSettings: [`limit.historyCount.suggestContinueAsNew=${String(ADVISED_EVENTS)}`],
    env: {
      REGISTRATION_EXPIRES_IN: `${String(LIFE_SECONDS)}s`,
      PASSWORD_RESET_EXPIRES_IN: `${String(RESET_LIFE_SECONDS)}s`,
      MFA_ENROLLMENT_EXPIRES_IN: `${String(LIFE_SECONDS)}s`,
      MFA_RECOVERY_WAIT: `${String(LIFE_SECONDS)}s`,
      MFA_RECOVERY_APPROVAL_WITHIN: `${String(LIFE_SECONDS)}s`,
      MFA_RECOVERY_TOKEN_EXPIRES_IN: `${String(LIFE_SECONDS)}s`,
      CONTACT_CHANGE_EXPIRES_IN: `${String(LIFE_SECONDS)}s`,
      JWT_EXPIRES_IN: '3s',
      SIGNING_KEY_OVERLAP: '2s',
      DATA_KEY_PROPAGATION: '2s',
      ERASURE_GRACE: '6s',
      EXPORT_EXPIRES_IN: '5s',
      // No sweep but those that are recorded.
      NOTICE_SWEEP_INTERVAL: '1h',
    },
  });
  try {
    await useReplayKey(service);
    await Promise.all((['api', 'worker', 'consumer'] as const).map((name) => service.processes[name].start()));
    for (const { name, play } of SCENARIOS.filter((scenario) => scenario.name.startsWith(WANTED))) {
      const history = await fetchClosed(service, await play(service));
      const file = join(__dirname, 'histories', `${name}.json`);
      await writeFile(file, `${withoutMachines(temporal.api.history.v1.History.fromObject(history))}\n`);
      process.stdout.write(`recorded ${name}: ${String(history.events?.length)} events\n`);
    }
  } finally {
    await service.stop();
  }
};

main().catch((error: unknown) => {
  process.exitCode = 1;
  throw error;
});
