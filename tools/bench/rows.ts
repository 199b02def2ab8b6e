import { availableParallelism } from 'node:os';

import { CALLERS } from './context';
import type {
  ApiProcessFigures,
  FirstAnswerFigures,
  GatewayFigures,
  MeFigures,
  ValidateTokenFigures,
} from './measure-requests';
import type { AcceptedFigures, WholeRegistrationFigures } from './measure-registrations';
import type { Row } from './report';
import type { LoadSummary } from './statistics';

/** Everything that one run measured. */
export interface Figures {
  readonly hashing: { readonly before: number; readonly after: number };
  readonly mailCpuSeconds: number;
  readonly apiProcess: ApiProcessFigures;
  readonly firstAnswer: FirstAnswerFigures;
  readonly logins: LoadSummary;
  readonly refreshes: LoadSummary;
  readonly me: MeFigures;
  readonly gateway: readonly GatewayFigures[];
  readonly validateToken: ValidateTokenFigures;
  readonly registrations: WholeRegistrationFigures;
  readonly accepted: AcceptedFigures;
  readonly loadedApiResident: number;
}

/** The targets of the project; times in milliseconds, ratios to what the same run measured. */
const TARGETS = {
  loginRatio: 0.9,
  firstAnswerP50: 25,
  openLoopP95: 60,
  acceptedRate: 144,
  wholeRatio: 0.5,
  cpuRatio: 2.5,
  refreshRate: 1_500,
  refreshP95: 15,
  meRatio: 0.8,
  gatewayP95: 200,
  validateTokenRate: 5_000,
  validateTokenP95: 5,
  readyMs: 2_000,
  idleMib: 150,
} as const;
const MAILS_PER_REGISTRATION = 2;

const rate = (value: number): string => `${value.toFixed(value < 100 ? 1 : 0)}/s`;
const ms = (value: number): string => `${value.toFixed(value < 100 ? 1 : 0)} ms`;
/** For what takes a fraction of a millisecond. */
const fine = (value: number): string => `${value.toFixed(2)} ms`;
const share = (value: number): string => `${(value * 100).toFixed(0)} %`;
const mib = (bytes: number): number => bytes / 1_048_576;

/** What did not succeed, in a few words; nothing where all did. */
const troubles = ({ refused, failed, failures }: LoadSummary): string => {
  const parts = [
    ...(refused > 0 ? [`${refused} refused (503)`] : []),
    ...(failed > 0 ? [`${failed} failed: ${failures.join('; ').slice(0, 120)}`] : []),
  ];
  return parts.length === 0 ? '' : `, ${parts.join(', ')}`;
};

const latencies = (load: LoadSummary): string => `p50 ${ms(load.p50)}, p95 ${ms(load.p95)}${troubles(load)}`;

/** CPU seconds of a whole registration without its hash and its mails. */
export const registrationCpu = ({ hashing, mailCpuSeconds, registrations }: Figures): number =>
  registrations.whole.cpu - availableParallelism() / hashing.before - MAILS_PER_REGISTRATION * mailCpuSeconds;

const requestRows = ({ hashing, logins, refreshes, me, validateToken, firstAnswer }: Figures): Row[] => [
  {
    work: 'argon2id alone, before and after',
    figure: `${rate(hashing.before)} and ${rate(hashing.after)}`,
    target: '-',
    ratio: `drift ${share(hashing.after / hashing.before - 1)}`,
    met: undefined,
  },
  {
    work: `password logins, ${CALLERS.login} callers`,
    figure: `${rate(logins.rate)}, ${latencies(logins)}`,
    target: `at least ${share(TARGETS.loginRatio)} of argon2id`,
    ratio: share(logins.rate / hashing.before),
    met: logins.rate / hashing.before >= TARGETS.loginRatio && logins.failed === 0,
  },
  {
    work: 'registration, first answer, 1 caller',
    figure: latencies(firstAnswer.oneCaller),
    target: `p50 at most ${ms(TARGETS.firstAnswerP50)}`,
    ratio: '-',
    met: firstAnswer.oneCaller.p50 <= TARGETS.firstAnswerP50,
  },
  {
    work: 'registration, first answer, open loop 20/s',
    figure: latencies(firstAnswer.openLoop),
    target: `p95 at most ${ms(TARGETS.openLoopP95)}`,
    ratio: '-',
    met: firstAnswer.openLoop.p95 <= TARGETS.openLoopP95,
  },
  {
    work: `refresh, ${CALLERS.refresh} callers`,
    figure: `${rate(refreshes.rate)}, ${latencies(refreshes)}`,
    target: `at least ${rate(TARGETS.refreshRate)}, p95 under ${ms(TARGETS.refreshP95)}`,
    ratio: '-',
    met: refreshes.rate >= TARGETS.refreshRate && refreshes.p95 < TARGETS.refreshP95 && refreshes.failed === 0,
  },
  {
    work: `GET /v1/users/me, ${CALLERS.me} callers`,
    figure: `${rate(me.me.rate)}, ${latencies(me.me)}`,
    target: `at least ${share(TARGETS.meRatio)} of an empty Koa route`,
    ratio: `${share(me.me.rate / me.emptyRoute.rate)} of ${rate(me.emptyRoute.rate)}`,
    met: me.me.rate / me.emptyRoute.rate >= TARGETS.meRatio && me.me.failed === 0,
  },
  {
    work: `ValidateToken (gRPC), ${CALLERS.validateToken} callers`,
    figure: `${rate(validateToken.load.rate)}, ${latencies(validateToken.load)}`,
    target: `at least ${rate(TARGETS.validateTokenRate)} on a core, p95 under ${ms(TARGETS.validateTokenP95)}`,
    ratio: `${(validateToken.cpu * 1e6).toFixed(0)} µs of CPU each`,
    met:
      validateToken.load.rate >= TARGETS.validateTokenRate &&
      validateToken.load.p95 < TARGETS.validateTokenP95 &&
      validateToken.load.failed === 0,
  },
];

/** What one hop more costs, both sides in one run. The target is that of the user's own documents: a p95 under 200 ms. */
const gatewayRows = ({ gateway }: Figures): Row[] =>
  gateway.map(({ callers, direct, through }) => ({
    work: `the same through the gateway, ${callers} ${callers === 1 ? 'caller' : 'callers'}`,
    figure: `${rate(through.rate)}, p50 ${fine(through.p50)}, p95 ${fine(through.p95)}${troubles(through)}`,
    target: `p95 under ${ms(TARGETS.gatewayP95)}`,
    ratio: `p50 +${fine(through.p50 - direct.p50)}, p95 +${fine(through.p95 - direct.p95)} to ${rate(direct.rate)} direct`,
    met: through.p95 < TARGETS.gatewayP95 && through.failed === 0,
  }));

const registrationRows = (figures: Figures): Row[] => {
  const { accepted, registrations } = figures;
  const { whole, empty } = registrations;
  const cpu = registrationCpu(figures);
  return [
    {
      work: `registrations accepted, ${CALLERS.registration} callers`,
      figure: `${rate(accepted.load.rate)}, ${latencies(accepted.load)}`,
      target: `more than ${rate(TARGETS.acceptedRate)}, none failed`,
      ratio: `${share(accepted.load.rate / figures.hashing.before)} of argon2id`,
      met: accepted.load.rate > TARGETS.acceptedRate && accepted.load.failed + accepted.load.refused === 0,
    },
    {
      work: 'the backlog of these drains',
      figure: `in ${accepted.drainSeconds.toFixed(1)} s, ${rate(accepted.drainRate)}`,
      target: 'drains',
      ratio: '-',
      met: true,
    },
    {
      work: `whole registrations, ${CALLERS.registration} callers`,
      figure: `${rate(whole.rate)}, ${latencies(whole.load)}`,
      target: `at least ${share(TARGETS.wholeRatio)} of empty workflows`,
      ratio: `${share(whole.rate / empty.rate)} of ${rate(empty.rate)}`,
      met: whole.rate / empty.rate >= TARGETS.wholeRatio && whole.load.failed === 0,
    },
    {
      work: 'CPU of a whole registration',
      figure: `${ms(cpu * 1_000)} (${ms(whole.cpu * 1_000)} with hash and mails)`,
      target: `at most ${TARGETS.cpuRatio} empty workflows`,
      ratio: `${(cpu / empty.cpu).toFixed(2)} times ${ms(empty.cpu * 1_000)}`,
      met: Number.isNaN(cpu) ? undefined : cpu / empty.cpu <= TARGETS.cpuRatio,
    },
  ];
};

const processRows = ({ apiProcess, loadedApiResident }: Figures): Row[] => [
  {
    work: 'api process, from start to ready',
    figure: ms(apiProcess.readyMs),
    target: `under ${TARGETS.readyMs / 1_000} s`,
    ratio: '-',
    met: apiProcess.readyMs < TARGETS.readyMs,
  },
  {
    work: 'api process, resident memory when idle',
    figure: `${mib(apiProcess.idleResident).toFixed(0)} MiB (${mib(loadedApiResident).toFixed(0)} MiB after all this)`,
    target: `under ${TARGETS.idleMib} MiB`,
    ratio: '-',
    met: Number.isNaN(apiProcess.idleResident) ? undefined : mib(apiProcess.idleResident) < TARGETS.idleMib,
  },
];

export const toRows = (figures: Figures): Row[] => [
  ...requestRows(figures),
  ...gatewayRows(figures),
  ...registrationRows(figures),
  ...processRows(figures),
];
