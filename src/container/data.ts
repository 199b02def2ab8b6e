import type { Config } from '../config/sections';
import type { NewAuditEvent } from '../contracts/audit';
import type { FieldCipher } from '../contracts/data-protection';
import { createRecoveryCodes } from '../crypto/recovery-code';
import { createRecoveryTokens } from '../crypto/recovery-token';
import { createResetTokens } from '../crypto/reset-token';
import { createTotp } from '../crypto/totp';
import { createVerificationCodes, type VerificationCodes } from '../crypto/verification-code';
import { createRestrictions } from '../identity/restrictions';
import { createToUserResponse } from '../identity/users';
import type { AuditTrail } from '../repositories/audit-trail';
import { createContactChangeRepository } from '../repositories/contact-change-repository';
import { createDataExportRepository } from '../repositories/data-export-repository';
import { createFactorCodeRepository } from '../repositories/factor-code-repository';
import { createPasskeys } from '../crypto/passkeys';
import { createTotpStrategy } from '../repositories/factor-kinds';
import { createPasskeyStrategy } from '../repositories/passkey-strategy';
import { createFactorRepository } from '../repositories/factor-repository';
import { createMfaEnrollmentRepository } from '../repositories/mfa-enrollment-repository';
import { createNoticeOutbox } from '../repositories/notice-outbox';
import { createPasswordRepository } from '../repositories/password-repository';
import { createPasswordResetRepository } from '../repositories/password-reset-repository';
import { createDatabase } from '../repositories/prisma-client';
import { createRegistrationRepository } from '../repositories/registration-repository';
import { createAccountErasureRepository } from '../repositories/account-erasure-repository';
import { createAccountRecoveryRepository } from '../repositories/account-recovery-repository';
import { createRecoveryReviewRepository } from '../repositories/recovery-review-repository';
import { createRememberedDeviceRepository } from '../repositories/remembered-device-repository';
import { createSentStrategy } from '../repositories/sent-factor-strategy';
import { createUserRepository } from '../repositories/user-repository';

import type { ProcessContext } from './process';
import { buildProtection } from './protection';

interface MfaParts {
  readonly database: ReturnType<typeof createDatabase>;
  readonly cipher: FieldCipher;
  readonly audit: AuditTrail;
  readonly codes: VerificationCodes;
  readonly config: Config<'security' | 'sms' | 'webauthn'>;
}

/** Second factors. */
const buildMfaData = (parts: MfaParts) => {
  const recoveryCodes = createRecoveryCodes(parts.config.security.tokenKey);
  const totp = createTotp();
  const factors = createFactorRepository({ ...parts, recoveryCodes });
  const { security, sms, webauthn } = parts.config;
  const limits = { smsDailyLimit: sms.dailyLimit, highRiskHoldMs: security.holds.highRiskMs };
  const factorCodes = createFactorCodeRepository({ ...parts, ...limits });
  const passkeys = createPasskeys(webauthn, security.tokenKey);
  const strategies = {
    totp: createTotpStrategy(totp),
    email_otp: createSentStrategy('email_otp', factorCodes),
    sms_otp: createSentStrategy('sms_otp', factorCodes),
    passkey: createPasskeyStrategy(passkeys),
  };
  const enrollments = createMfaEnrollmentRepository({ ...parts, recoveryCodes, strategies });
  const rememberedDevices = createRememberedDeviceRepository(parts);
  const recoveryTokens = createRecoveryTokens(security.tokenKey);
  const recoveries = createAccountRecoveryRepository({ ...parts, ...limits, recoveryTokens });
  const reviews = createRecoveryReviewRepository(parts);
  return {
    ...{ recoveryCodes, totp, passkeys, factors, factorCodes, enrollments },
    ...{ rememberedDevices, recoveryTokens, recoveries, reviews },
  };
};

type DataContext = ProcessContext<'database' | 'keys' | 'security' | 'sms' | 'webauthn'>;

/** The database and what reads it. */
export const buildData = ({ config, refreshSecrets }: Pick<DataContext, 'config' | 'refreshSecrets'>) => {
  const { security } = config;
  const database = createDatabase(config.database, refreshSecrets);
  const protection = buildProtection(config, database);
  const { audit, blindIndex } = protection;
  const cipher = protection.ciphers.fields;
  const codes = createVerificationCodes(security.tokenKey);
  const users = createUserRepository({ database, cipher, blindIndex });
  const registrations = createRegistrationRepository({
    ...{ database, cipher, blindIndex, users, codes, audit },
    personKeys: protection.personKeys,
  });
  const recordAudit = (event: NewAuditEvent) => audit.append(database.sql, event);
  const resetTokens = createResetTokens(security.tokenKey);
  const resets = createPasswordResetRepository({ database, cipher, tokens: resetTokens, audit });
  const passwords = createPasswordRepository(database, audit);
  const mfa = buildMfaData({ database, cipher, audit, codes, config });
  const contactChanges = createContactChangeRepository({ database, cipher });
  const restrictions = createRestrictions({ users, holds: security.holds });
  const toUserResponse = createToUserResponse(restrictions);
  const outbox = createNoticeOutbox(database);
  const erasures = createAccountErasureRepository({ database, audit });
  const exports = createDataExportRepository({ database, cipher, audit, auditCipher: protection.ciphers.audit });
  return {
    ...{ database, ...protection, cipher, codes, recordAudit, users, registrations },
    ...mfa,
    ...{ resetTokens, resets, passwords, contactChanges, restrictions, toUserResponse, outbox, erasures, exports },
  };
};
export type Data = ReturnType<typeof buildData>;
