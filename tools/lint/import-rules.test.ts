import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const ROOT = resolve(__dirname, '../..');
const DEPCRUISE = join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');

interface Rule {
  readonly name: string;
}
interface Violation {
  readonly from: string;
  readonly rule: Rule;
}

/** A file with imports, and the rules that must report it; none when the imports are allowed. */
interface Case {
  readonly file: string;
  readonly code: string;
  readonly rules: readonly string[];
}

/** Code that needs its import at run time, so that the compiler keeps it. */
const value = (module: string): string => `import { thing } from '${module}';\nexport const used = thing;\n`;
const type = (module: string): string => `import type { Thing } from '${module}';\nexport type Used = Thing;\n`;

const refused = (file: string, code: string, ...rules: string[]): Case => ({ file, code, rules });
const allowed = (file: string, code: string): Case => ({ file, code, rules: [] });

/** What the cases import: one file per folder, importing nothing. */
const TARGETS = [
  'src/container/api.ts',
  'src/instrumentation.ts',
  'src/generated/prisma/client.ts',
  'src/contracts/errors.ts',
  'src/contracts/registration.ts',
  'src/contracts/task-queues.ts',
  'src/temporal/workflow-starter.ts',
  'src/observability/span.ts',
  'src/crypto/some.test.ts',
  'test/support/target.ts',
  'tools/target.ts',
  'clients/other/src/target.ts',
  ...'activities api bin config crypto events gateway grpc health identity limits mail observability queue redis repositories secrets sms temporal workflows'
    .split(' ')
    .map((folder) => `src/${folder}/target.ts`),
];

const CASES: readonly Case[] = [
  refused('src/contracts/a.ts', value('@temporalio/workflow'), 'contracts-imports'),
  refused('src/contracts/b.ts', type('../config/target'), 'contracts-imports'),
  refused('src/contracts/c.ts', type('node:crypto'), 'contracts-imports'),
  refused('src/contracts/d-workflow.ts', value('@temporalio/client'), 'contracts-imports-1', 'sandbox-safe-contracts'),
  refused('src/contracts/e-workflow.ts', value('zod'), 'sandbox-safe-contracts'),
  refused('src/contracts/f-workflow.ts', value('./registration'), 'sandbox-safe-contracts'),
  refused(
    'src/contracts/search-attributes.ts',
    value('@temporalio/worker'),
    'contracts-imports-2',
    'sandbox-safe-contracts',
  ),
  allowed('src/contracts/g-workflow.ts', value('@temporalio/workflow') + type('./registration')),
  allowed('src/contracts/h.ts', value('zod')),

  refused('src/events/a.ts', value('../crypto/target'), 'events-imports'),
  refused('src/events/b.ts', value('../repositories/target'), 'events-imports-types-only'),
  refused('src/events/c.ts', value('ioredis'), 'events-imports-types-only'),
  allowed('src/events/d.ts', type('ioredis')),
  refused('src/limits/a.ts', value('bullmq'), 'limits-imports'),
  refused('src/limits/b.ts', value('../config/target'), 'limits-imports-types-only'),
  refused('src/limits/c.ts', value('ioredis'), 'limits-imports-types-only'),
  allowed('src/limits/d.ts', value('rate-limiter-flexible') + type('ioredis')),
  refused('src/api/limits.ts', value('../limits/target'), 'api-imports-types-only'),
  allowed('src/config/e.ts', value('yaml')),
  refused('src/config/a.ts', value('pino'), 'config-imports'),
  refused('src/config/b.ts', type('../contracts/errors'), 'config-imports'),
  refused('src/config/c.ts', value('node:net'), 'config-imports'),
  allowed(
    'src/config/d.ts',
    value('zod') + value('node:fs').replaceAll('used', 'read').replace('thing }', 'thing as other }'),
  ),

  refused('src/crypto/a.ts', type('../repositories/target'), 'crypto-imports'),
  refused('src/crypto/b.ts', value('../config/target'), 'crypto-imports-types-only'),
  refused('src/crypto/c.ts', value('koa'), 'crypto-imports'),
  allowed('src/crypto/d.ts', type('../config/target')),
  refused('src/keys/a.ts', type('../mail/target'), 'keys-imports'),
  refused('src/keys/b.ts', value('../repositories/target'), 'keys-imports-types-only'),
  allowed('src/keys/c.ts', value('../crypto/target') + type('../repositories/target')),

  refused('src/secrets/a.ts', value('../config/target'), 'secrets-imports-types-only'),
  refused('src/secrets/b.ts', value('yaml'), 'secrets-imports'),
  allowed('src/secrets/c.ts', value('@aws-sdk/client-secrets-manager')),
  refused('src/mail/a.ts', type('../queue/target'), 'mail-imports'),
  refused('src/mail/b.ts', value('../config/target'), 'mail-imports-types-only'),
  refused('src/sms/a.ts', type('../mail/target'), 'sms-imports'),
  refused('src/sms/b.ts', value('../config/target'), 'sms-imports-types-only'),
  refused('src/repositories/a.ts', type('../crypto/target'), 'repositories-imports'),
  refused('src/repositories/b.ts', value('../config/target'), 'repositories-imports-types-only'),
  allowed(
    'src/repositories/c.ts',
    value('../generated/prisma/client') + value('../observability/span').replaceAll(/thing|used/g, 'span'),
  ),
  refused('src/repositories/d.ts', value('@opentelemetry/api'), 'repositories-imports'),

  refused('src/workflows/a.ts', value('../activities/target'), 'workflows-imports-types-only'),
  refused('src/workflows/b.ts', value('node:crypto'), 'workflows-imports'),
  refused('src/workflows/c.ts', type('../contracts/registration'), 'workflows-imports'),
  refused('src/workflows/d.ts', value('zod'), 'workflows-imports'),
  refused('src/workflows/e.ts', type('@temporalio/client'), 'workflows-imports'),
  refused('src/workflows/f.ts', type('../repositories/target'), 'workflows-imports'),
  allowed('src/workflows/g.ts', type('../activities/target') + value('../contracts/task-queues')),

  refused('src/activities/a.ts', value('../repositories/target'), 'activities-imports-types-only'),
  refused('src/activities/b.ts', type('../workflows/target'), 'activities-imports'),
  refused('src/activities/c.ts', value('nodemailer'), 'activities-imports'),
  allowed('src/activities/d.ts', type('../repositories/target') + value('../contracts/registration')),

  refused('src/redis/a.ts', value('bullmq'), 'redis-imports'),
  refused('src/redis/b.ts', value('../config/target'), 'redis-imports-types-only'),
  allowed('src/redis/c.ts', value('ioredis')),
  refused('src/queue/a.ts', value('../mail/target'), 'queue-imports-types-only'),
  refused('src/queue/b.ts', type('../repositories/target'), 'queue-imports'),
  refused('src/queue/c.ts', value('ioredis'), 'queue-imports-types-only'),
  refused('src/queue/e.ts', value('@opentelemetry/api'), 'queue-imports'),
  allowed('src/queue/d.ts', type('../mail/target') + value('../redis/target')),
  allowed('src/queue/f.ts', value('bullmq-otel')),

  refused('src/temporal/a.ts', value('../activities/target'), 'temporal-imports-types-only'),
  refused('src/temporal/b.ts', type('../repositories/target'), 'temporal-imports'),

  refused('src/temporal/c.ts', value('koa'), 'temporal-imports'),

  refused('src/identity/a.ts', value('../repositories/target'), 'identity-imports-types-only'),
  refused('src/identity/b.ts', type('../api/target'), 'identity-imports'),

  refused('src/api/a.ts', value('../repositories/target'), 'api-imports-types-only'),
  refused(
    'src/api/b.ts',
    "import type { Thing } from '../crypto/target';\nimport { thing } from '../crypto/target';\nexport const used: Thing = thing;\n",
    'api-imports-types-only',
  ),
  refused('src/api/c.ts', type('../temporal/target'), 'api-imports'),
  refused('src/api/d.ts', "export { thing } from '../queue/target';\n", 'api-imports'),
  refused('src/api/e.ts', "export const load = () => import('../mail/target');\n", 'api-imports'),
  refused('src/api/f.ts', type('bullmq'), 'api-imports'),
  allowed('src/api/g.ts', type('../crypto/target') + value('../temporal/workflow-starter')),

  refused('src/grpc/a.ts', value('../api/target'), 'grpc-imports-types-only'),
  refused('src/grpc/b.ts', type('../crypto/target'), 'grpc-imports'),
  refused('src/gateway/a.ts', value('../observability/target'), 'gateway-imports-types-only'),
  refused('src/gateway/b.ts', type('../contracts/registration'), 'gateway-imports'),
  allowed('src/gateway/c.ts', value('../contracts/errors')),
  refused('src/health/a.ts', value('ioredis'), 'health-imports-types-only'),
  refused('src/health/b.ts', type('../repositories/target'), 'health-imports'),
  refused('src/observability/a.ts', value('../config/target'), 'observability-imports-types-only'),
  refused('src/observability/b.ts', type('../api/target'), 'observability-imports'),
  allowed('src/observability/c.ts', value('@opentelemetry/sdk-trace')),
  refused('src/workflows/h.ts', value('@temporalio/interceptors-opentelemetry-v2'), 'workflows-imports'),
  refused('src/container/a.ts', value('../workflows/target'), 'container-imports'),
  refused('src/container/b.ts', value('pino'), 'container-imports-types-only'),
  allowed('src/container/c.ts', value('../repositories/target')),
  refused('src/bin/a.ts', value('../repositories/target'), 'bin-imports-types-only'),
  refused('src/bin/b.ts', value('ioredis'), 'bin-imports'),
  allowed('src/bin/c.ts', value('../container/api') + type('../api/target')),

  refused('src/api/g1.ts', value('./g2'), 'no-circular'),
  // The other half of the circle, which is reported once.
  allowed('src/api/g2.ts', type('./g1')),
  refused('src/api/h.ts', value('./nowhere'), 'api-imports', 'no-unresolvable'),
  refused('src/crypto/e.ts', value('jest-worker'), 'crypto-imports', 'no-unresolvable'),
  refused('src/crypto/f.ts', value('undeclared'), 'crypto-imports', 'no-undeclared-package'),
  refused('src/crypto/g.ts', value('eslint'), 'crypto-imports', 'no-dev-package'),
  refused('src/crypto/h.ts', value('node:process'), 'no-environment-but-in-config'),
  refused('src/crypto/i.ts', value('./some.test'), 'no-tests-from-production'),
  refused('src/crypto/j.ts', type('../../test/support/target'), 'crypto-imports', 'no-tests-from-production'),
  refused('src/crypto/k.ts', type('../../tools/target'), 'crypto-imports', 'no-tools-from-src'),
  refused('src/crypto/l.ts', type('../container/api'), 'container-only-from-bin', 'crypto-imports'),
  refused('clients/some/src/a.ts', value('../../../src/contracts/errors'), 'clients-stand-alone'),
  refused('clients/some/src/b.ts', type('../../../src/config/target'), 'clients-stand-alone'),
  refused('clients/some/src/c.ts', value('../../other/src/target'), 'clients-stand-alone'),
  refused('clients/some/src/d.ts', value('pino'), 'clients-stand-alone'),
  allowed('clients/some/src/e.ts', value('jose')),
  refused('tools/a.ts', value('../src/container/api'), 'container-only-from-bin'),
  refused('src/crypto/m.ts', type('../bin/target'), 'bin-is-the-end', 'crypto-imports'),
  refused(
    'src/crypto/n.ts',
    type('../generated/prisma/client'),
    'crypto-imports',
    'database-client-only-in-repositories',
  ),
  refused('tools/b.ts', value('../src/generated/prisma/client'), 'database-client-only-in-repositories'),
  refused('src/helpers/a.ts', value('zod'), 'folder-has-rules'),
  allowed('src/crypto/o.test.ts', value('@jest/globals') + type('../container/api')),
];

describe('import rules', () => {
  const folder = mkdtempSync(join(tmpdir(), 'meqenet-import-rules-'));
  const reported = new Map<string, Set<string>>();

  const write = (file: string, code: string): void => {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), code);
  };

  /** A project of its own, so that nothing of the real one is touched; its packages are links to the real ones. */
  beforeAll(() => {
    for (const file of ['.dependency-cruiser.cjs', 'package.json', 'tsconfig.json']) {
      copyFileSync(join(ROOT, file), join(folder, file));
    }
    for (const name of '@aws-sdk @jest @opentelemetry @temporalio bullmq bullmq-otel eslint ioredis jose koa nodemailer pino rate-limiter-flexible yaml zod'.split(
      ' ',
    )) {
      mkdirSync(join(folder, 'node_modules'), { recursive: true });
      symlinkSync(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name));
    }
    write('node_modules/undeclared/package.json', '{ "name": "undeclared", "version": "1.0.0" }');
    write('node_modules/undeclared/index.js', '');
    for (const file of TARGETS) write(file, 'export const thing = 1;\nexport type Thing = number;\n');
    for (const { file, code } of CASES) write(file, code);

    const args = [DEPCRUISE, '--config', '.dependency-cruiser.cjs', '--output-type', 'json', 'src', 'tools', 'clients'];
    const output = execFileSync(process.execPath, args, { cwd: folder, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
    const { summary } = JSON.parse(output) as { summary: { violations: readonly Violation[] } };
    for (const { from, rule } of summary.violations) {
      reported.set(from, (reported.get(from) ?? new Set()).add(rule.name));
    }
  }, 20_000);

  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it.each(CASES)('$file: $rules', ({ file, rules }) => {
    expect([...(reported.get(file) ?? [])].sort()).toEqual([...rules].sort());
  });

  it('report nothing else', () => {
    const known = new Set(CASES.map(({ file }) => file));
    expect([...reported.keys()].filter((file) => !known.has(file))).toEqual([]);
  });

  it('each have a case that they report', () => {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- it is CommonJS, as dependency-cruiser wants it
    const { forbidden } = require('../../.dependency-cruiser.cjs') as { forbidden: readonly Rule[] };
    const proven = new Set(CASES.flatMap(({ rules }) => rules));
    expect(forbidden.map(({ name }) => name).filter((name) => !proven.has(name))).toEqual([]);
  });
});
