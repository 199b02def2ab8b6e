import type { Config } from '../config/load';
import { createDatabase } from '../repositories/prisma-client';

import { buildProtection } from './protection';

/** The keys of the codec server. */
export const buildCodec = (config: Config) => {
  const database = createDatabase(config.database);
  return { dataKeys: buildProtection(config, database).dataKeys, close: () => database.$disconnect() };
};
