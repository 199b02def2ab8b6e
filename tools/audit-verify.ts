import { parseArgs } from 'node:util';

import { buildProtection } from '../src/container/protection';
import { type AuditHead, createAuditVerifier } from '../src/repositories/audit-verifier';
import { createDatabase } from '../src/repositories/prisma-client';

import { loadServiceConfig } from './service-environment';

const USAGE = `npm run audit:verify [-- --expect <sequence>:<hash>] [--after <sequence>]
  Checks the whole audit trail: seals, numbers and hash chain. Prints its end as <sequence>:<hash>; kept elsewhere and given
  again with --expect, it shows that nothing up to there was exchanged since. The exit code is 0 only for a whole trail.
  Asks the database of DATABASE_URL with the keys of the environment, or else the running embedded stack.`;

const readHead = (text: string): AuditHead => {
  const [, sequence, hash] = /^(\d{1,18}):([0-9a-f]{64})$/.exec(text) ?? [];
  if (sequence === undefined || hash === undefined) throw new Error('--expect takes <sequence>:<hash>');
  return { sequence: BigInt(sequence), hash };
};

const main = async (): Promise<void> => {
  const { values } = parseArgs({
    options: { expect: { type: 'string' }, after: { type: 'string' }, help: { type: 'boolean' } },
  });
  if (values.help) return console.log(USAGE);
  const config = await loadServiceConfig();
  const database = createDatabase(config.database);
  try {
    const verify = createAuditVerifier(database, buildProtection(config, database).auditSeal);
    const { valid, checked, last, defect } = await verify({
      after: BigInt(values.after ?? '0'),
      ...(values.expect !== undefined && { expected: readHead(values.expect) }),
    });
    console.log(`${String(checked)} events checked, up to ${String(last.sequence)}:${last.hash}`);
    if (!valid)
      throw new Error(`The audit trail is NOT whole: event ${String(defect?.sequence)} ${String(defect?.kind)}`);
    console.log('The audit trail is whole.');
  } finally {
    await database.$disconnect();
  }
};

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
