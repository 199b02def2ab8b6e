import type { Role } from '../../src/contracts/session';
import { factorSecretLocation } from '../../src/repositories/factor-repository';

import { appCode, completeLogin, letStepsPass } from './mfa';
import { logIn, newPerson, type Person, signUp } from './people';
import { withProtection } from './protection';
import type { TestService } from './service';

export interface Account {
  readonly person: Person;
  readonly userId: string;
  readonly token: string;
  readonly sessionId: string;
}

const NEED_FACTOR: readonly Role[] = ['SUPPORT', 'COMPLIANCE', 'ADMIN'];
/** Of every authenticator app that `giveApp` gives. */
export const STAFF_SECRET = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP';

/** Gives an account an authenticator app. */
export const giveApp = async ({ database, stack }: TestService, userId: string): Promise<void> => {
  const id = crypto.randomUUID();
  const secret = await withProtection(stack, ({ ciphers }) =>
    ciphers.fields.encrypt(STAFF_SECRET, factorSecretLocation(id, userId)),
  );
  await database.query(
    `INSERT INTO factors (id, user_id, type, secret_ciphertext, created_at, confirmed_at) VALUES ($1, $2, 'TOTP', $3, now(), now())`,
    [id, userId, secret],
  );
};

/** As after a step-up with the app just now. */
export const stepUpSession = ({ database }: TestService, sessionId: string) =>
  database.query(`UPDATE sessions SET acr = 'aal2', strong = true, auth_time = now() WHERE id = $1`, [sessionId]);

/** Makes somebody ready for roles that need a second factor: has one, and has shown it. */
export const equip = async (service: TestService, { userId, sessionId }: Account): Promise<void> => {
  await giveApp(service, userId);
  await stepUpSession(service, sessionId);
};

/** Registers somebody with these roles besides CUSTOMER, and with the second factor that staff must have. */
export const hire = async (service: TestService, ...roles: readonly Role[]): Promise<Account> => {
  const person = newPerson();
  const { body } = await signUp(service, person);
  const userId = body.user.id as string;
  await giveRoles(service, userId, roles);
  const account = { person, userId, token: body.accessToken as string, sessionId: body.sessionId as string };
  if (roles.some((role) => NEED_FACTOR.includes(role))) await equip(service, account);
  return account;
};

/** Past every rule, as nobody can by way of the service. */
export const giveRoles = async ({ database }: TestService, userId: string, roles: readonly Role[]): Promise<void> => {
  await database.query(
    `INSERT INTO user_roles (user_id, role) SELECT $1, role::role FROM unnest($2::text[]) AS r(role) ON CONFLICT DO NOTHING`,
    [userId, roles],
  );
};

/** Of a login with all that it takes. */
export const freshToken = async (service: TestService, { person, userId }: Account): Promise<string> => {
  const { body } = await logIn(service, person);
  if (body.mfaToken === undefined) return body.accessToken as string;
  await letStepsPass(service, userId);
  return (await completeLogin(service, body.mfaToken as string, appCode(STAFF_SECRET))).body.accessToken as string;
};
