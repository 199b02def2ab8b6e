import { Queue } from 'bullmq';

import type { TestService } from './service';

/** Every job that is stored under the contract's prefix, whatever its state. */
export const storedJobs = async ({ stack }: TestService) => {
  const queue = new Queue('notifications', {
    prefix: 'meqenet:auth',
    connection: { host: stack.env['REDIS_HOST'] ?? '', port: Number(stack.env['REDIS_PORT']) },
  });
  try {
    const jobs = await queue.getJobs(['completed', 'failed', 'active', 'waiting', 'delayed', 'prioritized']);
    return jobs.map(({ id, name, data }) => ({ id, name, data: data as unknown }));
  } finally {
    await queue.close();
  }
};
