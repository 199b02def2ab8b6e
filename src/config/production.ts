import { plaintextProblems } from './plaintext';

/** What `loadConfig` refuses besides malformed values when `NODE_ENV` is `production`. */

/** Passwords that stand in images, guides and examples. */
const WELL_KNOWN_PASSWORDS = new Set([
  'admin',
  'change-me',
  'change_me',
  'changeme',
  'example',
  'meqenet',
  'meqenet_auth',
  'pass',
  'password',
  'postgres',
  'root',
  'secret',
  'test',
  '<password>',
]);

/** The embedded stack names its keys dev1, dev2 ...: they lie beside the data that they protect. */
const DEVELOPMENT_KEY = /(^|,)\s*dev/;

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

const databaseProblems = (databaseUrl: string | undefined): string[] => {
  if (databaseUrl === undefined || !URL.canParse(databaseUrl)) return [];
  const url = new URL(databaseUrl);
  // `pg` prefers a parameter to the user information.
  const user = url.searchParams.get('user') ?? decoded(url.username);
  const password = url.searchParams.get('password') ?? decoded(url.password);
  if (password.length === 0) return ['DATABASE_URL: needs a password in production'];
  const isWellKnown = WELL_KNOWN_PASSWORDS.has(password.toLowerCase()) || password === user;
  return isWellKnown ? ['DATABASE_URL: has a well-known password, which is refused in production'] : [];
};

const keyRingProblems = (values: Readonly<Record<string, string>>): string[] =>
  ['ROOT_KEYS']
    .filter((name) => DEVELOPMENT_KEY.test(values[name] ?? ''))
    .map((name) => `${name}: holds a development key (its id starts with dev), which is refused in production`);

const smsProblems = (values: Readonly<Record<string, string>>): string[] => [
  ...(values['SMS_PROVIDER'] === 'development'
    ? ['SMS_PROVIDER: development mails every code in the clear, and is refused in production']
    : []),
  ...(values['SMS_PROVIDER'] === 'http' && values['SMS_HTTP_URL']?.startsWith('http://') === true
    ? ['SMS_HTTP_URL: must be https in production']
    : []),
];

const awsProblems = (values: Readonly<Record<string, string>>): string[] =>
  ['SECRETS_MANAGER_ENDPOINT', 'ROOT_KMS_ENDPOINT']
    .filter((name) => values[name]?.startsWith('http://') === true)
    .map((name) => `${name}: must be https in production`);

const DAY_MS = 24 * 60 * 60 * 1_000;
const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: DAY_MS };
const isShorterThanADay = (duration: string | undefined): boolean => {
  const [, count, unit = ''] = /^(\d+)([a-z]+)$/.exec(duration ?? '') ?? [];
  return count !== undefined && Number(count) * (UNITS_MS[unit] ?? Infinity) < DAY_MS;
};
/** An owner must have the time to notice. */
const waitingProblems = (values: Readonly<Record<string, string>>): string[] => [
  ...(isShorterThanADay(values['MFA_RECOVERY_WAIT'])
    ? ['MFA_RECOVERY_WAIT: must be at least 24h in production, so that an owner can object']
    : []),
  ...(isShorterThanADay(values['ERASURE_GRACE'])
    ? ['ERASURE_GRACE: must be at least 24h in production, so that an owner can take it back']
    : []),
];

/** A problem per variable that must not be so in production, by name and without its value. */
export const productionProblems = (values: Readonly<Record<string, string>>): string[] => [
  ...databaseProblems(values['DATABASE_URL']),
  ...keyRingProblems(values),
  ...(values['RATE_LIMIT_MODE'] === 'observe'
    ? ['RATE_LIMIT_MODE: observe refuses nothing, and is refused in production']
    : []),
  ...awsProblems(values),
  ...smsProblems(values),
  ...waitingProblems(values),
  ...plaintextProblems(values),
];
