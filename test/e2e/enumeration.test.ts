import { performance } from 'node:perf_hooks';

import { describe, expect, it } from '@jest/globals';

import { askPhone, join, provePhone } from '../support/contact';
import type { Answer } from '../support/http-client';
import { mannWhitney, median } from '../support/mann-whitney';
import { newPerson, newPhone, register, signUp } from '../support/people';
import { fullProof, inProof } from '../support/proofs';
import { useTestService } from '../support/service';

const SAMPLES = inProof(150, 60);
/** A network hides a difference of this size, milliseconds. */
const NEGLIGIBLE_MS = 1;

const service = useTestService();

describe('a taken address', () => {
  /** What a client sees of an answer, without what differs between any two. */
  const shapeOf = ({ status, headers, body }: Answer) => ({
    status,
    headers: [...headers.entries()]
      .map(([name, value]) => (['date', 'x-request-id', 'ratelimit'].includes(name) ? name : `${name}: ${value}`))
      .sort(),
    body: Object.fromEntries(
      Object.entries(body as Record<string, string>).map(([name, value]) => [
        name,
        name === 'status' ? value : value.replace(/[0-9a-f]/g, 'x'),
      ]),
    ),
  });

  it('cannot be told from a free one by body, headers or time (kratos#133, ASVS 6.3.8)', async () => {
    const owner = newPerson();
    await signUp(service, owner);
    const ask = async (person: ReturnType<typeof newPerson>) => {
      const begin = performance.now();
      const answer = await register(service, person);
      return { answer, ms: performance.now() - begin };
    };
    const times = { free: [] as number[], taken: [] as number[] };
    for (let sample = -10; sample < SAMPLES; sample += 1) {
      // Interleaved, so that whatever else the machine does meets both alike; the first ten warm up.
      const free = await ask(newPerson());
      const taken = await ask(newPerson({ email: owner.email }));
      expect(shapeOf(taken.answer)).toEqual(shapeOf(free.answer));
      if (sample < 0) continue;
      times.free.push(free.ms);
      times.taken.push(taken.ms);
    }
    const { p } = mannWhitney(times.free, times.taken);
    const [free, taken] = [median(times.free), median(times.taken)];
    process.stdout.write(
      `registration answers: free address p50 ${free.toFixed(2)} ms, taken address p50 ${taken.toFixed(2)} ms, ` +
        `${String(SAMPLES)} samples each, Mann-Whitney p = ${p.toFixed(3)}\n`,
    );
    // Of a thousand honest runs one has p < 0.001; the difference is then still too small to be seen from outside.
    expect(p > 0.001 || Math.abs(free - taken) < NEGLIGIBLE_MS).toBe(true);
  });
});

describe('a phone that somebody has proven', () => {
  fullProof('cannot be told from a free one by who asks for it: the same answer in the same time', async () => {
    const taken = await provePhone(service, await join(service));
    const { token, userId } = await join(service);
    const ask = async (phone: string): Promise<number> => {
      // As if nothing had been asked for before, by anybody.
      await service.database.query('DELETE FROM contact_changes WHERE user_id = $1', [userId]);
      const begin = performance.now();
      const { status, body } = await askPhone(service, token, phone);
      const ms = performance.now() - begin;
      expect([status, Object.keys(body as object)]).toEqual([202, ['status', 'expiresAt']]);
      return ms;
    };
    const times = { free: [] as number[], taken: [] as number[] };
    for (let sample = -10; sample < SAMPLES; sample += 1) {
      const [free, ofTaken] = [await ask(newPhone()), await ask(taken)];
      if (sample < 0) continue;
      times.free.push(free);
      times.taken.push(ofTaken);
    }
    const { p } = mannWhitney(times.free, times.taken);
    const [free, ofTaken] = [median(times.free), median(times.taken)];
    process.stdout.write(
      `phone change answers: free number p50 ${free.toFixed(2)} ms, taken number p50 ${ofTaken.toFixed(2)} ms, ` +
        `${String(SAMPLES)} samples each, Mann-Whitney p = ${p.toFixed(3)}\n`,
    );
    expect(p > 0.001 || Math.abs(free - ofTaken) < NEGLIGIBLE_MS).toBe(true);
  });
});
