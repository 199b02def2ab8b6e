import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { Client, credentials, type ServiceError, status } from '@grpc/grpc-js';
import { loadFileDescriptorSetFromBuffer } from '@grpc/proto-loader';
import { describe, expect, it } from '@jest/globals';
import { service as healthService } from 'grpc-health-check';

import { freePort } from '../../tools/stack/ports';
import { eventually } from '../support/eventually';
import { createGrpcClient, type GrpcClient, grpcClientOf, messageOf, useGrpcClient } from '../support/grpc-client';
import { holdTable, someoneWaits } from '../support/hold';
import { logIn, newPerson, type Person, signUp } from '../support/people';
import { startSecondApi } from '../support/second-process';
import { useTestService } from '../support/service';

const service = useTestService();
const grpc = useGrpcClient(service);
/** A moment: what an event takes at the most on a busy machine, milliseconds. */
const MOMENT_MS = 5_000;

const NAME = 'auth.v1.AuthService';
const openHealth = () => new Client(service.grpcAddress, credentials.createInsecure());
interface Health {
  readonly status: string;
}
const { Check, Watch } = healthService as Readonly<Record<string, (typeof healthService)[string]>>;

/** Asks as a load balancer does: without any credentials. @returns what it serves, or the status of the refusal */
const healthOf = (name: string): Promise<string> => {
  const asking = openHealth();
  return new Promise((resolve) => {
    asking.makeUnaryRequest(
      ...([Check!.path, Check!.requestSerialize, Check!.responseDeserialize, { service: name }] as const),
      (error: ServiceError | null, answer?: unknown) => {
        asking.close();
        resolve(error === null ? (answer as Health).status : status[error.code]);
      },
    );
  });
};

/** Watches until the server ends it. */
const watchHealth = () => {
  const watching = openHealth();
  const seen: string[] = [];
  const { path, requestSerialize, responseDeserialize } = Watch!;
  const stream = watching.makeServerStreamRequest(path, requestSerialize, responseDeserialize, { service: NAME });
  stream.on('data', (answer: Health) => seen.push(answer.status));
  const ended = new Promise<void>((resolve) => {
    stream.once('error', () => {
      watching.close();
      resolve();
    });
  });
  return { seen, ended };
};

describe('health', () => {
  it('tells anybody of the server and of the service, and of no other', async () => {
    expect(await healthOf('')).toBe('SERVING');
    expect(await healthOf(NAME)).toBe('SERVING');
    expect(await healthOf('auth.v1.Nothing')).toBe('NOT_FOUND');
  });

  it('is not serving while the database is away', async () => {
    const { postgres } = service.stack;
    await postgres?.stop();
    await eventually('the health to tell', async () => (await healthOf(NAME)) === 'NOT_SERVING');
    const answer = await grpc.call('validateToken', { accessToken: 'a.b.c' });
    expect(['OK', 'UNAVAILABLE']).toContain(answer.code);
    await postgres?.start();
    await eventually('the health to tell', async () => (await healthOf(NAME)) === 'SERVING');
  });
});

describe('reflection', () => {
  /** ServerReflectionRequest{list_services: ""} */
  const LIST = Buffer.from([0x3a, 0x00]);
  const SYMBOL = 'auth.v1.Tokens';
  /** ServerReflectionRequest{file_containing_symbol: SYMBOL} */
  const FILES = Buffer.from([0x22, SYMBOL.length, ...Buffer.from(SYMBOL)]);

  const list = async (address: string, request = LIST): Promise<string> => {
    const grpcClient = createGrpcClient(address, undefined);
    const stream = grpcClient.client.makeBidiStreamRequest(
      '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
      (bytes: Buffer) => bytes,
      (bytes: Buffer) => bytes,
    );
    const answer = await new Promise<string>((resolve) => {
      stream.once('data', (bytes: Buffer) => {
        resolve(bytes.toString('latin1'));
      });
      stream.once('error', (error: Error) => {
        resolve(error.message);
      });
      stream.write(request);
      stream.end();
    });
    grpcClient.close();
    return answer;
  };

  it('names the services of a developer’s stack', async () => {
    expect(await list(service.grpcAddress)).toContain('auth.v1.AuthService');
    expect(await list(service.grpcAddress)).toContain('grpc.health.v1.Health');
  });

  it('gives a message with everything that it imports: else grpcurl cannot use it', async () => {
    const files = await list(service.grpcAddress, FILES);
    expect(files).toContain('auth/v1/auth.proto');
    expect(files).toContain('.google.protobuf.Duration');
    expect(files).toContain('google/protobuf/duration.proto\x12\x0fgoogle.protobuf');
    const descriptors = readFileSync(join('dist', 'src', 'generated', 'proto', 'descriptors.binpb'));
    expect(Object.keys(loadFileDescriptorSetFromBuffer(descriptors))).toContain(NAME);
  });

  it('is not there unless it is asked for, as in production', async () => {
    const port = String(await freePort());
    const second = await startSecondApi(service, { GRPC_REFLECTION: 'false', GRPC_PORT: port });
    expect(await list(`127.0.0.1:${port}`)).toMatch(/UNIMPLEMENTED/);
    await second.process.stop();
  });
});

describe('WatchRevocations', () => {
  const account = async () => {
    const person = newPerson();
    const { body } = await signUp(service, person);
    return { person, ...(body as { accessToken: string; sessionId: string; user: { id: string } }) };
  };
  const ready = ({ seen }: ReturnType<GrpcClient['watch']>) =>
    eventually('ready', () => Promise.resolve(seen.some((message) => message?.$case === 'ready')), MOMENT_MS);
  const revocationOf = ({ seen }: ReturnType<GrpcClient['watch']>, sessionId: string) =>
    eventually(
      'the revocation',
      () =>
        Promise.resolve(
          seen.flatMap((message) =>
            message?.$case === 'revocation' && message.value.sessionId === sessionId ? [message.value] : [],
          )[0],
        ),
      MOMENT_MS,
    );
  const open = async (person: Person) =>
    (await logIn(service, person)).body as { accessToken: string; sessionId: string };

  it('tells of a logout within a moment, whichever door it came through', async () => {
    const { person, user, ...first } = await account();
    const second = await open(person);
    const watch = grpc.watch();
    await ready(watch);
    const before = Date.now();
    messageOf(await grpc.call('logoutUser', { accessToken: first.accessToken }));
    const { endedAt, userId, cursor } = await revocationOf(watch, first.sessionId);
    expect(Date.now() - before).toBeLessThan(MOMENT_MS);
    expect(userId).toBe(user.id);
    expect(cursor).toMatch(/^\d+-\d+$/);
    expect(Math.abs((endedAt?.getTime() ?? 0) - before)).toBeLessThan(MOMENT_MS);
    await service.http.post('/v1/auth/logout', undefined, { token: second.accessToken });
    await revocationOf(watch, second.sessionId);
    watch.cancel();
    expect(await watch.ended).toMatchObject({ code: status.CANCELLED });
  });

  it('tells who begins what may still matter, and who goes on what came after the cursor', async () => {
    const { person, ...first } = await account();
    const second = await open(person);
    messageOf(await grpc.call('logoutUser', { accessToken: first.accessToken }));
    const early = grpc.watch();
    const { cursor } = await revocationOf(early, first.sessionId);
    early.cancel();
    messageOf(await grpc.call('logoutUser', { accessToken: second.accessToken }));
    const resumed = grpc.watch(cursor);
    await revocationOf(resumed, second.sessionId);
    await ready(resumed);
    const seen = resumed.seen.flatMap((message) => (message?.$case === 'revocation' ? [message.value] : []));
    expect(seen.map(({ cursor: each }) => each)).not.toContain(cursor);
    expect(seen.map(({ sessionId }) => sessionId)).not.toContain(first.sessionId);
    resumed.cancel();
  });

  it.each(['x', '1', '1-', '-1', '1-1-1', '٣-١', '9'.repeat(5_000)])(
    'refuses cursor %#, which is none',
    async (cursor) => {
      const { ended } = grpc.watch(cursor);
      expect(await ended).toMatchObject({ code: status.INVALID_ARGUMENT });
    },
  );

  it('may have a deadline', async () => {
    expect(await grpc.watch(undefined, { timeoutMs: 500 }).ended).toMatchObject({ code: status.DEADLINE_EXCEEDED });
  });
});

describe('SIGTERM', () => {
  it('lets calls that run finish, ends streams, waits for no watch of the health, and takes no new calls', async () => {
    const { body } = await signUp(service, newPerson());
    const [health, client] = [watchHealth(), grpcClientOf(service)];
    await eventually('the health', () => Promise.resolve(health.seen.includes('SERVING')));
    // Longer than two looks at it, which change nothing.
    await sleep(2_500);
    const watch = client.watch();
    await eventually('ready', () => Promise.resolve(watch.seen.some((each) => each?.$case === 'ready')));
    const hold = await holdTable(service, 'refresh_tokens');
    const running = client.call('refreshToken', { refreshToken: body.refreshToken as string });
    await someoneWaits(service, 'refresh_tokens');
    const stopped = service.processes.api.stop();
    expect(await watch.ended).toMatchObject({ code: status.UNAVAILABLE });
    // It is told before the server is gone.
    await eventually('the end', () => Promise.resolve(health.seen.includes('NOT_SERVING')));
    await hold.release();
    const released = performance.now();
    const { tokens } = messageOf(await running);
    expect(tokens?.accessToken).toMatch(/./);
    await Promise.all([stopped, health.ended]);
    // Far less than the time that calls are given (10 s).
    expect(performance.now() - released).toBeLessThan(5_000);
    expect(health.seen).toEqual(['SERVING', 'NOT_SERVING']);
    expect(await client.call('validateToken', {}, { timeoutMs: 3_000 })).toMatchObject({ code: 'UNAVAILABLE' });

    await service.processes.api.start();
    await eventually('the new process', async () => (await healthOf(NAME)) === 'SERVING');
    const accessToken = tokens?.accessToken ?? '';
    const again = grpcClientOf(service);
    expect(messageOf(await again.call('validateToken', { accessToken })).valid).toBe(true);
    again.close();
    // The same connection, made anew.
    await eventually('the old connection', async () => (await client.call('validateToken')).code === 'OK');
    expect(messageOf(await client.call('validateToken', { accessToken })).valid).toBe(true);
    client.close();
  });
});
