import type { z } from 'zod';

import { appEnv, toAppConfig } from './app.config';
import { databaseEnv, databaseTlsProblems, toDatabaseConfig } from './database.config';
import { configFields } from './fields';
import { gatewayEnv, gatewayProblems, gatewayTrustEnv, toGatewayConfig, toGatewayTrustConfig } from './gateway.config';
import { grpcEnv, toGrpcConfig } from './grpc.config';
import { keysEnv, keysProblems, toKeysConfig } from './keys.config';
import { limitsEnv, toLimitsConfig } from './limits.config';
import { mailEnv, toMailConfig } from './mail.config';
import { pinoEnv, toPinoConfig } from './pino.config';
import { privacyEnv, toPrivacyConfig } from './privacy.config';
import { queueEnv, toQueueConfig } from './queue.config';
import { redisEnv, toRedisConfig } from './redis.config';
import { secretsEnv, secretsProblems, toSecretsConfig } from './secrets.config';
import { securityEnv, toSecurityConfig } from './security.config';
import { smsEnv, smsHttpEnv, smsProblems, toSmsConfig, toSmsHttpConfig } from './sms.config';
import { telemetryEnv, toTelemetryConfig } from './telemetry.config';
import { temporalEnv, toTemporalConfig } from './temporal.config';
import { serverTlsEnv, toServerTls } from './tls.config';
import { tokensEnv, toTokensConfig } from './tokens.config';
import { toWebauthnConfig, webauthnEnv, webauthnProblems } from './webauthn.config';

/** What is wrong with the values of a section taken together; `unreadable` have a problem already. */
type Problems = (values: Readonly<Record<string, string>>, unreadable: ReadonlySet<string>) => string[];

type App = z.output<typeof appEnv>;
interface SectionOptions<K extends keyof App> {
  /** Variables of the section `app` that it takes into account. */
  readonly app?: readonly K[];
  readonly problems?: Problems;
}

/** Variables that are read together or not at all, and the configuration that they make. */
const section = <E extends z.ZodObject, C, K extends keyof App = never>(
  env: E,
  read: (env: z.output<E> & Pick<App, NoInfer<K>>) => C,
  { app = [], problems = () => [] }: SectionOptions<K> = {},
) => ({ env, read, app: app as readonly (keyof App)[], problems });

/** Every section of the configuration, in the order in which `env.example` shows them. */
export const SECTIONS = {
  app: section(appEnv, toAppConfig),
  grpc: section(grpcEnv, toGrpcConfig),
  tls: section(serverTlsEnv, toServerTls),
  secrets: section(secretsEnv, toSecretsConfig, { problems: secretsProblems }),
  database: section(databaseEnv, toDatabaseConfig, { problems: databaseTlsProblems }),
  redis: section(redisEnv, toRedisConfig),
  queue: section(queueEnv, toQueueConfig),
  temporal: section(temporalEnv, toTemporalConfig),
  mail: section(mailEnv, toMailConfig),
  sms: section(smsEnv, toSmsConfig, { app: ['NODE_ENV'] }),
  smsHttp: section(smsHttpEnv, toSmsHttpConfig, { problems: smsProblems }),
  tokens: section(tokensEnv, toTokensConfig),
  security: section(securityEnv, toSecurityConfig),
  keys: section(keysEnv, toKeysConfig, { problems: keysProblems }),
  webauthn: section(webauthnEnv, toWebauthnConfig, { app: ['NODE_ENV', 'PUBLIC_URL'], problems: webauthnProblems }),
  privacy: section(privacyEnv, toPrivacyConfig),
  limits: section(limitsEnv, toLimitsConfig),
  gatewayTrust: section(gatewayTrustEnv, toGatewayTrustConfig),
  gateway: section(gatewayEnv, toGatewayConfig, { problems: gatewayProblems }),
  pino: section(pinoEnv, toPinoConfig),
  telemetry: section(telemetryEnv, toTelemetryConfig),
};

export type SectionName = keyof typeof SECTIONS;
export const SECTION_NAMES = Object.keys(SECTIONS) as readonly SectionName[];

/** The configuration of these sections; of all, if not told otherwise. */
export type Config<S extends SectionName = SectionName> = {
  readonly [N in S]: ReturnType<(typeof SECTIONS)[N]['read']>;
};

type Shape = Readonly<Record<string, z.ZodType>>;

/** The variables of these sections, by name, and those that they take into account. */
export const variablesOf = (sections: readonly SectionName[] = SECTION_NAMES): Shape =>
  Object.fromEntries(
    sections.flatMap((name) => {
      const { env, app } = SECTIONS[name];
      return [...app.map((variable) => [variable, appEnv.shape[variable]] as const), ...Object.entries(env.shape)];
    }),
  );

/** Names of the variables that are secrets, that may stand in a file, or that may change while the process runs. */
export const variablesThatAre = (
  property: 'secret' | 'file' | 'reloadable',
  sections: readonly SectionName[] = SECTION_NAMES,
): string[] =>
  Object.entries(variablesOf(sections))
    .filter(([, field]) => configFields.get(field)?.[property] === true)
    .map(([name]) => name);
