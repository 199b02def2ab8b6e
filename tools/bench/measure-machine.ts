import { availableParallelism } from 'node:os';

import type { Argon2Helper } from './argon2.child';
import { type BenchContext, repeat } from './context';
import { startHelper } from './helper';
import type { MailCostHelper } from './mail-cost.child';
import { median } from './statistics';

/** Argon2id hashes a second with the service's parameters and nothing else running: the ceiling of password logins. */
export const measureHashing = async ({ service, plan }: BenchContext): Promise<number> => {
  const concurrency = availableParallelism();
  const helper = startHelper<Argon2Helper>('argon2', { UV_THREADPOOL_SIZE: String(concurrency) });
  try {
    const parameters = service.config.security.passwordHash;
    const measure = () => helper.call('measure', { parameters, concurrency, seconds: plan.hashing });
    return median(await repeat(plan.rounds, measure));
  } finally {
    await helper.stop();
  }
};

/** CPU seconds of one mail. */
export const measureMail = async ({ service, plan }: BenchContext): Promise<number> => {
  const helper = startHelper<MailCostHelper>('mail-cost');
  try {
    return await helper.call('measure', { mail: service.config.mail, count: plan.mails });
  } finally {
    await helper.stop();
  }
};
