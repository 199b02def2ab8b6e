import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { ERRORS } from '../../src/contracts/errors';
import { PROJECT_ROOT, STATE_DIR } from '../../tools/project';
import { freePort } from '../../tools/stack/ports';
import { auditEventsOf } from '../support/audit';
import { createAuthority } from '../support/certificates';
import { newPerson, signUp } from '../support/people';
import { type SecondApi, startSecondApi } from '../support/second-process';
import { serviceToken } from '../support/service-token';
import { useTestService } from '../support/service';
import { startUnreliableGrpc, type UnreliableGrpc } from '../support/unreliable-grpc';

/** Where `npm test` builds the examples; see tools/setup/clients.mjs. */
const BUILT = join(STATE_DIR, 'clients');
const built = (...parts: string[]): string => join(BUILT, ...parts);

interface Example {
  readonly language: string;
  readonly name: string;
  /** What is there when it was built. */
  readonly file: string;
  readonly command: readonly [string, ...string[]];
}

const javaClasses = [built('java', 'classes'), built('java', 'test-classes'), built('java', 'lib', '*')].join(':');
const TYPESCRIPT: Example = {
  language: 'typescript',
  name: 'TypeScript',
  file: built('typescript', 'consumer', 'session.js'),
  command: [process.execPath, built('typescript', 'consumer', 'session.js')],
};
const EXAMPLES: readonly Example[] = [
  TYPESCRIPT,
  { language: 'go', name: 'Go', file: built('go', 'bin', 'session'), command: [built('go', 'bin', 'session')] },
  {
    language: 'python',
    name: 'Python',
    file: built('python', 'bin', 'python'),
    command: [
      ...([built('python', 'bin', 'python'), '-B'] as const),
      join(PROJECT_ROOT, 'clients', 'python', 'examples', 'session.py'),
    ],
  },
  {
    language: 'java',
    name: 'Java',
    file: built('java', 'test-classes', 'et', 'meqenet', 'auth', 'example', 'Session.class'),
    command: ['java', '-XX:TieredStopAtLevel=1', '-cp', javaClasses, 'et.meqenet.auth.example.Session'],
  },
];

/** Why an example cannot run here; undefined where it can. */
const missing = ({ language, file }: Example): string | undefined => {
  const note = built(`${language}.missing`);
  if (existsSync(note)) return readFileSync(note, 'utf8');
  return existsSync(file) ? undefined : 'it is not built: run npm test';
};

const service = useTestService();
const person = newPerson();
let userId = '';

beforeAll(async () => {
  userId = ((await signUp(service, person)).body as { user: { id: string } }).user.id;
}, 60_000);

/** Runs an example as a service would, in an environment of its own. @throws with what it said on its way down */
const run = async ([command, ...args]: Example['command'], env: Readonly<Record<string, string>>): Promise<unknown> => {
  const { stdout } = await promisify(execFile)(command, args, {
    env: { PATH: process.env['PATH'], AUTH_EMAIL: person.email, AUTH_PASSWORD: person.password, ...env },
    timeout: 60_000,
  });
  return JSON.parse(stdout);
};
const withToken = (address: string) => ({ AUTH_GRPC_ADDRESS: address, AUTH_SERVICE_TOKEN: serviceToken(service) });
const UNAVAILABLE = expect.objectContaining({ stderr: expect.stringMatching(/unavailable/i) });
const wholeSession = () => ({
  subject: userId,
  sessionMatches: true,
  roles: ['CUSTOMER'],
  validBefore: true,
  wrongPassword: 'invalid_credentials',
  text: ERRORS.invalid_credentials.title,
  malformed: 'validation_failed',
  violations: ['invalid_type'],
  validAfter: false,
});

/** A test for each language whose example could be built. */
const inEveryLanguage = (check: (command: Example['command']) => Promise<void>): void => {
  for (const example of EXAMPLES) {
    const reason = missing(example);
    const test = reason === undefined ? it : it.skip;
    test(
      reason === undefined ? example.name : `${example.name} (skipped: ${reason})`,
      () => check(example.command),
      90_000,
    );
  }
};

/** Everything that the packages for TypeScript are imported by. */
const ENTRIES = {
  '@meqenet/auth-client': 'connect',
  '@meqenet/auth-edge': 'createEdge',
  '@meqenet/auth-edge/koa': 'authenticate',
  '@meqenet/auth-edge/express': 'authenticate',
  '@meqenet/auth-http-client': 'createAuthClient',
};

(missing(TYPESCRIPT) === undefined ? it : it.skip)(
  'TypeScript’s packages are imported by CommonJS and by ES modules',
  async () => {
    const loads = { commonjs: 'require', module: 'await import' };
    for (const [format, load] of Object.entries(loads)) {
      const lines = Object.entries(ENTRIES).map(
        ([entry, name]) => `console.log(typeof (${load}('${entry}')).${name});`,
      );
      const options = { cwd: built('typescript', 'consumer') };
      const { stdout } = await promisify(execFile)(
        process.execPath,
        [`--input-type=${format}`, '-e', lines.join('')],
        options,
      );
      expect({ format, stdout }).toEqual({ format, stdout: 'function\n'.repeat(lines.length) });
    }
  },
);

describe('the gRPC client logs in, validates, reads an error and logs out, in', () => {
  inEveryLanguage(async (command) => {
    expect(await run(command, withToken(service.grpcAddress))).toEqual(wholeSession());
  });
});

describe('the gRPC client tries again what only reads, and nothing else, in', () => {
  const behind = async (
    failing: Parameters<typeof startUnreliableGrpc>[1],
    look: (unreliable: UnreliableGrpc) => Promise<void>,
  ): Promise<void> => {
    const unreliable = await startUnreliableGrpc(service.grpcAddress, failing);
    await look(unreliable).finally(unreliable.close);
  };

  inEveryLanguage(async (command) => {
    await behind({ validateToken: 2 }, async ({ address, calls }) => {
      expect(await run(command, withToken(address))).toEqual(wholeSession());
      expect(calls).toEqual({ authenticateUser: 3, validateToken: 4, logoutUser: 1 });
    });
    await behind({ authenticateUser: 1 }, async ({ address, calls }) => {
      await expect(run(command, withToken(address))).rejects.toEqual(UNAVAILABLE);
      expect(calls).toEqual({ authenticateUser: 1 });
    });
    // It gives up: after five attempts, or when the deadline is over.
    await behind({ validateToken: Infinity }, async ({ address, calls }) => {
      await expect(run(command, withToken(address))).rejects.toEqual(
        expect.objectContaining({ stderr: expect.stringMatching(/unavailable|deadline/i) }),
      );
      expect(calls.validateToken).toBeGreaterThan(1);
      expect(calls.validateToken).toBeLessThanOrEqual(5);
    });
  });
});

describe('the gRPC client speaks TLS, in', () => {
  const folder = mkdtempSync(join(tmpdir(), 'meqenet-clients-'));
  const file = (name: string, content: string): string => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };
  const started: SecondApi[] = [];
  /** Of a server that asks for no certificate of clients, and of one that does. */
  const address = { plain: '', mutual: '' };
  /** The authority, another one, and the certificate of a service. */
  let ours: { readonly AUTH_CA_FILE: string };
  let theirs: typeof ours;
  let identity: { readonly AUTH_CERTIFICATE_FILE: string; readonly AUTH_PRIVATE_KEY_FILE: string };

  beforeAll(async () => {
    const [authority, stranger] = [await createAuthority(), await createAuthority('Another authority')];
    const [server, client] = [await authority.issue('localhost'), await authority.issueClient('payments')];
    ours = { AUTH_CA_FILE: file('ca.pem', authority.cert) };
    theirs = { AUTH_CA_FILE: file('stranger.pem', stranger.cert) };
    identity = {
      AUTH_CERTIFICATE_FILE: file('client.pem', client.cert),
      AUTH_PRIVATE_KEY_FILE: file('client.key', client.key),
    };
    const start = async (env: Readonly<Record<string, string>>): Promise<string> => {
      const port = String(await freePort());
      const certificate = { SERVER_TLS_CERTIFICATE: server.cert, SERVER_TLS_KEY: server.key };
      started.push(
        await startSecondApi(service, { GRPC_PORT: port, RATE_LIMIT_MODE: 'observe', ...certificate, ...env }),
      );
      return `localhost:${port}`;
    };
    [address.plain, address.mutual] = await Promise.all([start({}), start({ SERVER_TLS_CLIENT_CA: authority.cert })]);
  }, 60_000);
  afterAll(async () => {
    await Promise.all(started.map((api) => api.process.stop()));
    rmSync(folder, { recursive: true, force: true });
  });
  const callingService = async (): Promise<unknown> => {
    const events = await auditEventsOf(service.database, userId, 'session.ended');
    return (JSON.parse(events.at(-1)?.details ?? '{}') as { callingService?: string }).callingService;
  };

  inEveryLanguage(async (command) => {
    const [plain, mutual] = [withToken(address.plain), withToken(address.mutual)];
    expect(await run(command, { ...plain, ...ours })).toEqual(wholeSession());
    expect(await callingService()).toBe('stack');
    expect(await run(command, { AUTH_GRPC_ADDRESS: address.mutual, ...ours, ...identity })).toEqual(wholeSession());
    expect(await callingService()).toBe('payments');
    // With a token besides, that is what counts.
    expect(await run(command, { ...mutual, ...ours, ...identity })).toEqual(wholeSession());
    expect(await callingService()).toBe('stack');

    // Without a certificate a server that asks for one talks to nobody, and nobody to a server that a stranger vouches for.
    await expect(run(command, { ...mutual, ...ours })).rejects.toEqual(UNAVAILABLE);
    await expect(run(command, { ...plain, ...theirs })).rejects.toEqual(UNAVAILABLE);
  });
});
