import { setTimeout as sleep } from 'node:timers/promises';

import type { TestService } from './service';
import { withTemporal } from './temporal';

/** Every table of the service. */
const tableNames = async ({ database }: Pick<TestService, 'database'>): Promise<string[]> => {
  const { rows } = await database.query<{ name: string }>(
    `SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1`,
  );
  return rows.map(({ name }) => name);
};

/** The audit trail and the failed logins grow by what is refused as well. */
const TABLES_OF_REFUSALS = ['audit_events', 'audit_chain', 'login_failures'];

/** Row count and digest of the content, by table, what counts refusals left out: equal before and after means that nothing was done. */
export const databaseFootprint = async (service: Pick<TestService, 'database'>): Promise<Record<string, string>> => {
  const names = (await tableNames(service)).filter((name) => !TABLES_OF_REFUSALS.includes(name));
  const selects = names.map(
    (
      name,
    ) => `SELECT '${name}' AS name, count(*)::text || ' ' || coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '')
      AS content FROM ${name} t`,
  );
  const { rows } = await service.database.query<{ name: string; content: string }>(selects.join(' UNION ALL '));
  return Object.fromEntries(rows.map(({ name, content }) => [name, content]));
};

/** Everything that the database holds, as text; bytes as hexadecimal digits. */
export const databaseText = async (service: Pick<TestService, 'database'>): Promise<string> => {
  const texts = (await tableNames(service)).map(async (name) => {
    const { rows } = await service.database.query<{ line: string }>(`SELECT t::text AS line FROM ${name} t`);
    return rows.map(({ line }) => `${name} ${line}`);
  });
  return (await Promise.all(texts)).flat().join('\n');
};

/** Temporal finds a workflow a moment after it was started. */
const VISIBILITY_LAG_MS = 1_500;

/** Workflows that somebody has started; those that Schedules start come whatever anybody does. */
export const countWorkflows = async (service: TestService): Promise<number> => {
  await sleep(VISIBILITY_LAG_MS);
  const query = 'TemporalScheduledById IS NULL';
  return withTemporal(service, async (client) => (await client.workflow.count(query)).count);
};
