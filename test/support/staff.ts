import type { Role } from '../../src/contracts/session';

import { logIn, newPerson, type Person, signUp } from './people';
import type { TestService } from './service';

export interface Account {
  readonly person: Person;
  readonly userId: string;
  readonly token: string;
  readonly sessionId: string;
}

/** Registers somebody with these roles besides CUSTOMER. */
export const hire = async (service: TestService, ...roles: readonly Role[]): Promise<Account> => {
  const person = newPerson();
  const { body } = await signUp(service, person);
  const userId = body.user.id as string;
  await giveRoles(service, userId, roles);
  return { person, userId, token: body.accessToken as string, sessionId: body.sessionId as string };
};

/** Past every rule, as nobody can by way of the service. */
export const giveRoles = async ({ database }: TestService, userId: string, roles: readonly Role[]): Promise<void> => {
  await database.query(
    `INSERT INTO user_roles (user_id, role) SELECT $1, role::role FROM unnest($2::text[]) AS r(role) ON CONFLICT DO NOTHING`,
    [userId, roles],
  );
};

export const freshToken = async (service: TestService, { person }: Account): Promise<string> =>
  (await logIn(service, person)).body.accessToken as string;
