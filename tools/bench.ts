import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';

import type { BenchContext } from './bench/context';
import { startHelper } from './bench/helper';
import type { LoadHelper } from './bench/load.child';
import { measureHashing, measureMail } from './bench/measure-machine';
import { measureAccepted, measureWholeRegistrations, seedUsers } from './bench/measure-registrations';
import {
  measureApiProcess,
  measureFirstAnswer,
  measureGateway,
  measureLogins,
  measureMe,
  measureRefreshes,
  measureValidateToken,
} from './bench/measure-requests';
import { FULL, type Plan, QUICK } from './bench/plan';
import { cpuSeconds, machineCpuSeconds, residentBytes } from './bench/process-usage';
import { renderDisturbance, renderTable, type Report } from './bench/report';
import { type Figures, toRows } from './bench/rows';
import { type BenchService, startBenchService } from './bench/service';
import { type Interruption, listenForInterruption } from './interrupt';
import { done, failure, title } from './terminal';

const USAGE = `npm run bench [-- --quick] [-- --json FILE]
  Measures the whole service on a stack of its own and compares it with the project's targets.
  --quick      about a minute instead of four; rougher
  --json FILE  writes every figure into a file as well
  Leave the machine alone meanwhile: everything runs on it, the callers included.`;

const interrupted = async (interruption: Interruption): Promise<never> => {
  await interruption.requested;
  throw new Error('Interrupted');
};

/** Does one step of the run and says so. */
const step = async <T>(what: string, act: () => Promise<T>): Promise<T> => {
  const begin = Date.now();
  const result = await act();
  done(what, Date.now() - begin);
  return result;
};

const measureAll = async (context: BenchContext): Promise<Figures> => {
  const { service, load, plan } = context;
  const before = await step('argon2id alone', () => measureHashing(context));
  const mailCpuSeconds = await step('cost of a mail', () => measureMail(context));
  const apiProcess = await step('start of the api process', () => measureApiProcess(context));
  await load.call('target', {
    apiPort: service.apiPort,
    gatewayPort: service.gatewayPort,
    grpcPort: service.stack.ports.grpc,
    serviceToken: service.config.grpc.serviceTokens[0]?.token ?? '',
    databaseUrl: service.config.database.url,
    tokenKey: service.config.security.tokenKey,
  });
  await step('accounts, and warming up', () => seedUsers(context));
  const firstAnswer = await step('first answers to registrations', () => measureFirstAnswer(context));
  const logins = await step('password logins', () => measureLogins(context));
  const refreshes = await step('refreshes', () => measureRefreshes(context));
  const me = await step('GET /v1/users/me', () => measureMe(context));
  const gateway = await step('the gateway', () => measureGateway(context));
  const validateToken = await step('ValidateToken', () => measureValidateToken(context));
  const registrations = await step('whole registrations', () => measureWholeRegistrations(context));
  const accepted = await step('registrations accepted', () => measureAccepted(context));
  const loadedApiResident = residentBytes(service.processes.api.pid);
  const after = await step('argon2id alone again', () => measureHashing({ ...context, plan }));
  return {
    hashing: { before, after },
    mailCpuSeconds,
    apiProcess,
    firstAnswer,
    logins,
    refreshes,
    me,
    gateway,
    validateToken,
    registrations,
    accepted,
    loadedApiResident,
  };
};

const describeMachine = (): string =>
  `${availableParallelism()} cores (${cpus()[0]?.model.trim() ?? 'unknown'}), ` +
  `${(totalmem() / 2 ** 30).toFixed(0)} GiB, ${process.platform}, Node ${process.versions.node}`;

/** Begins to watch what other programs take of the machine. @returns a function that tells their share since then */
const watchOthers = (): (() => number) => {
  const others = (): number => machineCpuSeconds() - cpuSeconds(process.pid);
  const [begin, before] = [performance.now(), others()];
  return () => Math.max(0, others() - before) / ((performance.now() - begin) / 1_000) / availableParallelism();
};

const run = async (service: BenchService, plan: Plan): Promise<Figures> => {
  const load = startHelper<LoadHelper>('load');
  try {
    return await measureAll({ service, load, plan });
  } finally {
    await load.stop();
  }
};

const main = async (): Promise<number> => {
  const { values } = parseArgs({
    options: { quick: { type: 'boolean' }, json: { type: 'string' }, help: { type: 'boolean' } },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const startedAt = new Date();
  title(`Measuring (${values.quick ? 'about a minute' : 'about four minutes'}); Ctrl-C ends it`);
  const service = await step('stack and service', startBenchService);
  // Not before: until it has started nobody could end what it is starting.
  const interruption = listenForInterruption(() => {
    service.kill();
    process.exit(130);
  });
  const shareOfOthers = watchOthers();
  const running = run(service, values.quick ? QUICK : FULL);
  // After an interruption nobody waits for what it measures any more.
  running.catch(() => undefined);
  try {
    const figures = await Promise.race([running, interrupted(interruption)]);
    const report: Report = {
      startedAt: startedAt.toISOString(),
      seconds: Math.round((Date.now() - startedAt.getTime()) / 1_000),
      machine: describeMachine(),
      disturbance: shareOfOthers(),
      rows: toRows(figures),
      figures: { ...figures },
    };
    if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, undefined, 2)}\n`);
    console.log(`\n${renderTable(report.rows)}\n`);
    console.log(`  ${report.machine}; ${String(report.seconds)} s in all; ${renderDisturbance(report)}`);
    return 0;
  } finally {
    await service.stop();
  }
};

const exit = (code: number): never => process.exit(code);
main().then(exit, (error: unknown) => {
  failure(error);
  exit(1);
});
