import type { Client } from 'pg';

/** What the processes may read but never change: the audit trail, and the history of the migrations. */
const READ_ONLY = ['audit_chain', 'audit_checkpoint', '_prisma_migrations'];
const APPEND_ONLY = ['audit_events'];

const accountOf = (databaseUrl: string) => {
  const { username, password } = new URL(databaseUrl);
  return { name: decodeURIComponent(username), password: decodeURIComponent(password) };
};

const makeRole = async (owner: Client, name: string, password: string): Promise<void> => {
  const { rowCount } = await owner.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [name]);
  if (rowCount !== 0) return;
  await owner.query(`CREATE ROLE ${owner.escapeIdentifier(name)} LOGIN PASSWORD ${owner.escapeLiteral(password)}`);
};

/**
 * Gives the role of the processes what they need and no more: rows of every table, no schema, and of the audit trail only
 * to read, to append, and to drop what is old. Does nothing where the processes connect as the owner.
 *
 * @param owner connected as the owner; a role that is missing is made if the owner may make roles
 */
export const grantToService = async (owner: Client, ownerUrl: string, serviceUrl: string): Promise<void> => {
  const { name, password } = accountOf(serviceUrl);
  if (name === '' || name === accountOf(ownerUrl).name) return;
  await makeRole(owner, name, password);
  const role = owner.escapeIdentifier(name);
  await owner.query(`
    BEGIN;
    GRANT USAGE ON SCHEMA public TO ${role};
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${role};
    GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO ${role};
    REVOKE INSERT, UPDATE, DELETE ON ${READ_ONLY.join(', ')} FROM ${role};
    REVOKE UPDATE, DELETE ON ${APPEND_ONLY.join(', ')} FROM ${role};
    GRANT EXECUTE ON FUNCTION prune_audit_events(bigint, text) TO ${role};
    COMMIT`);
};
