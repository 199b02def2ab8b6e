import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { ERRORS } from '../../src/contracts/errors';
import { AuthServiceService } from '../../src/generated/proto/auth/v1/auth';
import { type GrpcAnswer, messageOf, useGrpcClient } from '../support/grpc-client';
import { type FuzzCase, fuzzCases, sensibleCases } from '../support/grpc-fuzz';
import { newPerson, register, signUp } from '../support/people';
import { useTestService } from '../support/service';

/** `npm run fuzz:grpc -- --cases 20000` sets it. */
const CASES = Number(process.env['GRPC_FUZZ_CASES'] ?? 1_400);
const AT_ONCE = 8;
const MS_PER_CASE = 100;
const service = useTestService({ env: { LOG_LEVEL: 'warn', ARGON2_MEMORY_KIB: '8192', ARGON2_ITERATIONS: '1' } });
const client = useGrpcClient(service);

/** Whatever is sent, these mean that the server did not know what to do with it. */
const NEVER = new Set(['INTERNAL', 'UNKNOWN', 'DATA_LOSS', 'UNIMPLEMENTED']);

/** Whether the refusal is one that the caller brought about, told as the contract says. */
const isDeclared = ({ code, reason, domain, requestId }: GrpcAnswer<unknown>): boolean => {
  if (code === 'OK') return true;
  // What grpc-js itself refuses: a message that is too large.
  if (reason === undefined) return code === 'RESOURCE_EXHAUSTED';
  if (!(reason in ERRORS) || domain !== 'meqenet.et' || requestId === undefined) return false;
  // A machine that is busy may say so.
  return !NEVER.has(code) && (code !== 'UNAVAILABLE' || reason === 'overloaded');
};

describe('whatever is sent, by somebody who has an account too', () => {
  it(
    `is answered or refused for what is wrong with it, and nothing else comes of it (${String(CASES)} cases)`,
    async () => {
      const { pid } = service.processes.api;
      const person = newPerson();
      const { body: account } = await signUp(service, person);
      const { body: registration } = await register(service, newPerson());
      const known = {
        ...{ email: person.email, password: person.password },
        accessToken: account.accessToken as string,
        registrationId: registration.registrationId as string,
      };
      const seen = new Map<string, number>();
      const count = (outcome: string) => seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
      const send = async ({ method, bytes, metadata }: FuzzCase): Promise<void> => {
        const answer = await client.raw(AuthServiceService[method].path, bytes, { metadata });
        const { code, reason, text } = answer;
        count(code);
        count([method, code, ...(reason === undefined ? [] : [reason])].join(' '));
        if (!isDeclared(answer))
          throw new Error(`${method}: ${code} ${reason ?? text} to ${bytes.toString('base64').slice(0, 2_000)}`);
      };
      await fc.assert(
        fc.asyncProperty(fc.array(fuzzCases(known), { minLength: AT_ONCE, maxLength: AT_ONCE }), async (batch) => {
          await Promise.all(batch.map(send));
        }),
        {
          examples: [[sensibleCases(known)]],
          numRuns: Math.ceil(CASES / AT_ONCE),
          interruptAfterTimeLimit: CASES * MS_PER_CASE,
          markInterruptAsFailure: true,
        },
      );

      // Not all of it was nonsense, and not all of it sense.
      const outcomes = [...seen.keys()];
      process.stdout.write(`${JSON.stringify(Object.fromEntries([...seen].filter(([key]) => !key.includes(' '))))}\n`);
      expect(seen.get('INVALID_ARGUMENT')).toBeGreaterThan(CASES / 10);
      expect(outcomes).toEqual(expect.arrayContaining(['validateToken OK', 'getUser OK', 'registerUser OK']));
      expect(outcomes.filter((outcome) => outcome.includes('validation_failed')).length).toBeGreaterThan(4);
      expect(outcomes.filter((outcome) => outcome.includes('malformed_message')).length).toBeGreaterThan(4);

      // Nothing of it has shaken the process, and nobody came of it.
      const log = readFileSync(join(service.stack.logDir, 'api.log'), 'utf8');
      expect(log.split('\n').filter((line) => line.includes('internal_error'))).toEqual([]);
      expect(service.processes.api.pid).toBe(pid);
      expect(await service.http.get('/readyz')).toMatchObject({ status: 200 });
      const { accessToken } = known;
      expect(messageOf(await client.call('validateToken', { accessToken }))).toMatchObject({ valid: true });
      const { rows } = await service.database.query(`SELECT count(*)::int AS count FROM users`);
      expect(rows).toEqual([{ count: 1 }]);
    },
    60_000 + CASES * MS_PER_CASE,
  );
});
