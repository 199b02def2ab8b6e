import { parseArgs } from 'node:util';

import { z } from 'zod';

import { buildProtection } from '../src/container/protection';
import { emailSchema } from '../src/contracts/identity';
import { ROLES } from '../src/contracts/session';
import { createAdminRepository } from '../src/repositories/admin-repository';
import { createDatabase } from '../src/repositories/prisma-client';

import { loadServiceConfig } from './service-environment';

const USAGE = `npm run admin:grant -- --email <address> --role ${ROLES.join('|')}
  Gives an account a role, in the audit trail as an act of the operator: the way to the first administrator.
  ADMIN, COMPLIANCE and SUPPORT are in force once their holder has set an authenticator app or a passkey up.
  Asks the database of DATABASE_URL with the keys of the environment, or else the running embedded stack.`;

const optionsSchema = z.object({ email: emailSchema, role: z.enum(ROLES) });

const grant = async ({ email, role }: z.output<typeof optionsSchema>): Promise<string> => {
  const config = await loadServiceConfig();
  const database = createDatabase(config.database);
  try {
    const { audit, blindIndex } = buildProtection(config, database);
    const accounts = createAdminRepository({ database, blindIndex, audit });
    const userId = await accounts.findUserIdByEmail(email);
    if (userId === undefined) throw new Error('No account has this address: register it first');
    return await accounts.hold({ actorId: undefined, targetId: userId }, async ({ target }, acts) => {
      if (target === undefined) throw new Error('The account is gone');
      if (target.roles.includes(role)) return `${userId} has the role ${role} already`;
      await acts.grant(role, undefined);
      await acts.record({
        action: 'role.granted',
        actor: { kind: 'operator' },
        subjectId: userId,
        details: { role, by: 'admin:grant' },
      });
      return `${userId} has the role ${role} from now on`;
    });
  } finally {
    await database.$disconnect();
  }
};

const main = async (): Promise<void> => {
  const { values } = parseArgs({
    options: { email: { type: 'string' }, role: { type: 'string' }, help: { type: 'boolean' } },
  });
  if (values.help) return console.log(USAGE);
  const options = optionsSchema.safeParse(values);
  if (!options.success) throw new Error(USAGE);
  console.log(await grant(options.data));
};

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
