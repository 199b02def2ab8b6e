import type { Role } from '../../src/contracts/session';

import { provePhone } from './contact';
import { eventually } from './eventually';
import type { Answer } from './http-client';
import { appCode, letStepsPass, type Protected, protectedPerson, stepUp } from './mfa';
import { tokenIn } from './passwords';
import { logIn } from './people';
import type { TestService } from './service';
import { giveRoles } from './staff';

export const RECOVERY_SUBJECT = /asked to turn off two-step login/;
export const RECOVERY_READY_SUBJECT = /You can now turn off/;
export const RECOVERY_ENDED_SUBJECT = /recovery of your Meqenet account has ended/;

type Headers = Readonly<Record<string, string>>;

/** Somebody with a second factor and a proven phone. */
export const reachablePerson = async (service: TestService): Promise<Protected & { phone: string }> => {
  const owner = await protectedPerson(service);
  return { ...owner, phone: await provePhone(service, owner) };
};
export const startRecovery = async (service: TestService, { person }: Pick<Protected, 'person'>): Promise<Answer> => {
  const { body } = await logIn(service, person);
  return service.http.post('/v1/auth/mfa/recovery', { mfaToken: body.mfaToken as string });
};
/** @returns its id */
export const begunRecovery = async (service: TestService, owner: Pick<Protected, 'person'>): Promise<string> => {
  const { status, body } = await startRecovery(service, owner);
  if (status !== 202) throw new Error(`The recovery did not begin: ${String(status)}`);
  return body.recoveryId as string;
};
/** Somebody of staff with a second factor shown just now. */
export const reviewer = async (service: TestService, ...roles: Role[]) => {
  const staff = await protectedPerson(service);
  await giveRoles(service, staff.userId, roles);
  await letStepsPass(service, staff.userId);
  const { body } = await stepUp(service, staff.token, appCode(staff.secret));
  return { ...staff, token: body.accessToken as string };
};
export const approve = ({ http }: TestService, token: string, id: string, headers: Headers = {}): Promise<Answer> =>
  http.post(`/v1/admin/recoveries/${id}/approve`, { evidence: 'video_call', note: 'case 4711' }, { token, headers });
export const deny = ({ http }: TestService, token: string, id: string): Promise<Answer> =>
  http.post(`/v1/admin/recoveries/${id}/deny`, { reason: 'not the owner' }, { token });
export const cancelByToken = ({ http }: TestService, token: string): Promise<Answer> =>
  http.post('/v1/auth/mfa/recovery/cancel', { token });
export const completeRecovery = (
  { http }: TestService,
  token: string,
  password: string,
  headers: Headers = {},
): Promise<Answer> => http.post('/v1/auth/mfa/recovery/complete', { token, password }, { headers });

export const mailedCancelToken = async ({ mailbox }: TestService, email: string, timeoutMs?: number): Promise<string> =>
  tokenIn((await mailbox.waitFor(email, RECOVERY_SUBJECT, 1, timeoutMs)).at(-1));
/** The token that completes; it stands before the one that cancels. */
export const mailedCompletionToken = async ({ mailbox }: TestService, email: string, timeoutMs?: number) =>
  tokenIn((await mailbox.waitFor(email, RECOVERY_READY_SUBJECT, 1, timeoutMs)).at(-1));

export const recoveryState = async ({ database }: TestService, id: string): Promise<string | undefined> => {
  const { rows } = await database.query<{ status: string }>(
    'SELECT status::text FROM account_recoveries WHERE id = $1',
    [id],
  );
  return rows[0]?.status;
};
export const recoveryBecomes = (service: TestService, id: string, status: string, timeoutMs?: number): Promise<true> =>
  eventually(
    `the recovery to be ${status}`,
    async () => (await recoveryState(service, id)) === status && true,
    timeoutMs,
  );
