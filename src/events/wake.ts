import type { Redis } from 'ioredis';

import type { StreamKeys } from './streams';

/**
 * Tells the process that carries events on that the trail holds a new one, by way of Redis. A hint, as it may be lost: whoever
 * carries events on looks by itself as well. However many are told of at once, one command is on its way.
 */
export const createWake = (redis: Pick<Redis, 'xadd'>, keys: Pick<StreamKeys, 'wake'>) => {
  let [recorded, told] = [0, 0];
  const tell = async (): Promise<void> => {
    if (told === recorded) return;
    told = recorded;
    // Without Redis nothing can be carried on either.
    await redis.xadd(keys.wake, 'MAXLEN', 1, '*', 'new', '1').catch(() => undefined);
  };
  let telling = Promise.resolve();
  return (): void => {
    recorded += 1;
    telling = telling.then(tell);
  };
};
