import type { Config } from '../config/load';
import type { NewAuditEvent } from '../contracts/audit';
import { createAuditSeal } from '../crypto/audit-seal';
import { createBlindIndex } from '../crypto/blind-index';
import { createFieldCipher } from '../crypto/field-cipher';
import { createResetTokens } from '../crypto/reset-token';
import { createVerificationCodes } from '../crypto/verification-code';
import { createRestrictions } from '../identity/restrictions';
import { createToUserResponse } from '../identity/users';
import { createAuditTrail } from '../repositories/audit-trail';
import { createContactChangeRepository } from '../repositories/contact-change-repository';
import { createNoticeOutbox } from '../repositories/notice-outbox';
import { createPasswordRepository } from '../repositories/password-repository';
import { createPasswordResetRepository } from '../repositories/password-reset-repository';
import { createDatabase } from '../repositories/prisma-client';
import { createRegistrationRepository } from '../repositories/registration-repository';
import { createUserRepository } from '../repositories/user-repository';

/** The database and what reads it. */
export const buildData = (config: Config) => {
  const { security } = config;
  const database = createDatabase(config.database);
  const cipher = createFieldCipher(security.fieldEncryptionKeys);
  const blindIndex = createBlindIndex(security.blindIndexKey);
  const codes = createVerificationCodes(security.tokenKey);
  const auditSeal = createAuditSeal(security.fieldEncryptionKeys);
  const audit = createAuditTrail(cipher, auditSeal);
  const users = createUserRepository({ database, cipher, blindIndex });
  const registrations = createRegistrationRepository({ database, cipher, blindIndex, users, codes, audit });
  const recordAudit = (event: NewAuditEvent) => audit.append(database.sql, event);
  const resetTokens = createResetTokens(security.tokenKey);
  const resets = createPasswordResetRepository({ database, cipher, tokens: resetTokens, audit });
  const passwords = createPasswordRepository(database, audit);
  const contactChanges = createContactChangeRepository({ database, cipher });
  const restrictions = createRestrictions({ users, holds: security.holds });
  const toUserResponse = createToUserResponse(restrictions);
  const outbox = createNoticeOutbox(database);
  return {
    ...{ database, cipher, blindIndex, codes, audit, auditSeal, recordAudit, users, registrations },
    ...{ resetTokens, resets, passwords, contactChanges, restrictions, toUserResponse, outbox },
  };
};
export type Data = ReturnType<typeof buildData>;
