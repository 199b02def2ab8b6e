import { createDatabase } from '../repositories/prisma-client';

import type { ProcessContext } from './process';
import { buildProtection } from './protection';

/** The keys of the codec server. */
export const buildCodec = ({ config, refreshSecrets }: ProcessContext) => {
  const database = createDatabase(config.database, refreshSecrets);
  return { dataKeys: buildProtection(config, database).dataKeys, close: () => database.$disconnect() };
};
