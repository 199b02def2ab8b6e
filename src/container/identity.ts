import type { Logger } from 'pino';

import type { Config } from '../config/sections';
import { createAccessTokens } from '../crypto/access-token';
import { deriveKey } from '../crypto/derive-key';
import { createBreachCheck } from '../crypto/breach-check';
import { createPasswordHasher } from '../crypto/password-hasher';
import { createPasswordPolicy } from '../crypto/password-policy';
import { createRefreshTokens } from '../crypto/refresh-token';
import { createSigningKeyRing } from '../crypto/signing-key-ring';
import type { LockOut } from '../identity/lock-out';
import { createAccountRecoveries } from '../identity/account-recoveries';
import { createCancelRecovery } from '../identity/recovery-cancel';
import { createLogin } from '../identity/login';
import { createMfaPolicy, type MfaPolicy } from '../identity/mfa-policy';
import { createEnqueueNotice, createNotices, type Notices } from '../identity/notices';
import { createProvePassword } from '../identity/password-proof';
import { createPasswords } from '../identity/passwords';
import { createRegistrations } from '../identity/registration';
import { createSessions } from '../identity/sessions';
import type { createQueueProducer } from '../queue/queue.producer';
import { createDeviceRepository } from '../repositories/device-repository';
import { createProtectDevice } from '../repositories/protected-device';
import { createSessionRepository } from '../repositories/session-repository';
import { createSigningKeyRepository } from '../repositories/signing-key-repository';
import type { createTemporalConnection } from '../temporal/connection';
import { createWorkflowStarter } from '../temporal/workflow-starter';

import { buildAccount } from './account';
import { buildMfa, buildSecondFactors } from './mfa';
import type { ProcessContext } from './process';
import type { Data } from './data';

const buildPasswordPolicy = ({ security }: Config<'security'>, logger: Logger) => {
  const { url, timeoutMs } = security.breachCheck;
  return createPasswordPolicy({
    policy: security.passwordPolicy,
    breachCheck: url === undefined ? undefined : createBreachCheck({ url, timeoutMs, logger }),
  });
};

/** Sessions with their tokens. */
const buildSessions = (
  { security, tokens }: Config<'security' | 'tokens'>,
  { database, cipher, ciphers, blindIndex, audit }: Data,
  notices: Notices,
  policy: MfaPolicy,
) => {
  const keyRing = createSigningKeyRing(
    createSigningKeyRepository(database, ciphers['signing-keys']),
    tokens.signingKeys,
  );
  const accessTokens = createAccessTokens(keyRing, tokens.jwt);
  const sessions = createSessions({
    sessions: createSessionRepository({ database, audit, protectDevice: createProtectDevice(cipher, blindIndex) }),
    devices: createDeviceRepository({ database, cipher, audit }),
    ...{ notices, policy },
    accessTokens,
    refreshTokens: createRefreshTokens(security.tokenKey),
    ...{ config: security, tokenLife: tokens.jwt },
  });
  return { accessTokens, sessions };
};

/** What requests do, over HTTP and gRPC alike. */
export const buildIdentity = (
  context: ProcessContext<'temporal' | 'security' | 'tokens' | 'sms' | 'privacy'>,
  data: Data,
  temporal: ReturnType<typeof createTemporalConnection>,
  queue: ReturnType<typeof createQueueProducer>,
  lockOut: LockOut,
) => {
  const { config, logger } = context;
  const { security } = config;
  const { users } = data;
  const hasher = createPasswordHasher(security.passwordHash, security.tokenKey);
  const notices = createNotices({ ...data, enqueueNotice: createEnqueueNotice({ users, queue }), logger });
  const policyOfRoles = createMfaPolicy(security);
  const { accessTokens, sessions } = buildSessions(config, data, notices, policyOfRoles);
  const starter = createWorkflowStarter(temporal.client, config.temporal);
  const cancelRecovery = createCancelRecovery({ ...data, starter, notices, logger });
  const parts = { sessions, lockOut, starter, notices, cancelRecovery };
  const secondFactors = buildSecondFactors(config, data, parts);
  const login = createLogin({ ...data, ...secondFactors, hasher, sessions, lockOut, logger });
  const policy = buildPasswordPolicy(config, logger);
  const workflowIdKey = deriveKey(security.tokenKey, 'workflow-id');
  const provePassword = createProvePassword({ ...data, hasher, lockOut });
  const passwords = createPasswords({
    ...data,
    ...{ policy, hasher, ...parts, provePassword, workflowIdKey },
    resetExpiresInMs: security.passwordResetExpiresInMs,
  });
  const registrations = createRegistrations({
    ...data,
    ...{ policy, hasher, starter, sessions, lockOut, workflowIdKey, policyOfRoles },
    expiresInMs: security.registrationExpiresInMs,
  });
  const { challenges } = secondFactors;
  const recoveries = createAccountRecoveries({
    ...{ ...data, ...parts, provePassword, challenges },
    config: security.recovery,
  });
  const account = buildAccount(context, data, { hasher, provePassword, starter });
  const mfa = buildMfa(config, data, { ...account, starter, notices, policyOfRoles });
  const core = { accessTokens, sessions, notices, starter, login, passwords, registrations };
  return { ...core, recoveries, cancelRecovery, mfa, ...secondFactors, ...account };
};
