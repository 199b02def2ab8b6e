import { beforeAll, describe, expect, it } from '@jest/globals';

import { type Permission, ROLE_PERMISSIONS } from '../../../src/contracts/permissions';
import { type Role, ROLES } from '../../../src/contracts/session';
import { type Operation, readOperations } from '../../support/api-document';
import type { Answer } from '../../support/http-client';
import { expectProblem } from '../../support/problems';
import { type Access, ROUTE_ACCESS } from '../../support/route-access';
import { useSharedService } from '../../support/service';
import { type Account, freshToken, hire } from '../../support/staff';

const service = useSharedService();

const nameOf = ({ method, pattern }: Operation): string => `${method} ${pattern}`;
const isFor = (access: Access, role: Role): boolean =>
  access === 'public' || access === 'everybody' || access.includes(role);

describe('who may call which route', () => {
  let operations: Operation[] = [];
  const staff = new Map<Role, Account>();

  beforeAll(async () => {
    operations = await readOperations(service.http);
    await Promise.all(ROLES.map(async (role) => staff.set(role, await hire(service, role))));
  });

  /** Without a body and with ids that nobody has: what is refused for its form was not refused for its sender. */
  const call = ({ method, path }: Operation, token?: string): Promise<Answer> =>
    service.http.send(method, path, { ...(token !== undefined && { token }) });

  it('is written down for every route that there is, and for no other', () => {
    expect(operations.map(nameOf).sort()).toEqual(Object.keys(ROUTE_ACCESS).sort());
  });

  it('is what the document says, by token and permission', async () => {
    const { body } = await service.http.get('/api/docs/openapi.json');
    for (const operation of operations) {
      const access = ROUTE_ACCESS[nameOf(operation)] ?? [];
      expect([nameOf(operation), operation.needsToken]).toEqual([nameOf(operation), access !== 'public']);
      const permission: Permission | undefined =
        body.paths[operation.pattern][operation.method.toLowerCase()]['x-permission'];
      const holders = ROLES.filter((role) => permission === undefined || ROLE_PERMISSIONS[role].includes(permission));
      expect([nameOf(operation), holders]).toEqual([nameOf(operation), ROLES.filter((role) => isFor(access, role))]);
    }
  });

  it('nobody but anonymous callers of public routes comes without a token', async () => {
    for (const operation of operations) {
      const answer = await call(operation);
      if (ROUTE_ACCESS[nameOf(operation)] === 'public') expect(answer.body?.code).not.toBe('invalid_token');
      else expectProblem(answer, { status: 401, code: 'invalid_token' });
    }
  });

  it.each(ROLES)('%s, on every route', async (role) => {
    const account = staff.get(role)!;
    let token = account.token;
    for (const operation of operations) {
      const access = ROUTE_ACCESS[nameOf(operation)] ?? [];
      const answer = await call(operation, token);
      const code = [nameOf(operation), answer.body?.code];
      if (isFor(access, role))
        expect(code).not.toEqual([nameOf(operation), expect.stringMatching(/^(forbidden|invalid_token)$/)]);
      else expectProblem(answer, { status: 403, code: 'forbidden' });
      // Some routes end the session.
      if ((await service.http.get('/v1/users/me', { token })).status === 401)
        token = await freshToken(service, account);
    }
  });
});
