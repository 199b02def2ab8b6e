import { z } from 'zod';

import { choice, duration, integer, optionalHttpUrl, reloadable, secretKey, subset } from './fields';

export const securityEnv = z.object({
  REFRESH_TOKEN_IDLE_EXPIRES_IN: reloadable(
    duration('7d', 'A session ends when its refresh token is not used for so long'),
  ),
  REFRESH_TOKEN_ABSOLUTE_EXPIRES_IN: reloadable(duration('30d', 'A session ends so long after the login in any case')),
  MAX_SESSIONS_PER_USER: integer(100, 1, 10_000, 'Sessions of one account at once; a further login ends the oldest'),
  REGISTRATION_EXPIRES_IN: duration('24h', 'An unverified registration is purged after this time'),
  PASSWORD_RESET_EXPIRES_IN: duration('15m', 'A link that resets a password works for so long'),
  CONTACT_CHANGE_EXPIRES_IN: duration('10m', 'A code that proves another phone or e-mail address works for so long'),
  MFA_ENROLLMENT_EXPIRES_IN: duration('10m', 'A second factor that is being enrolled must be proven within this time'),
  MFA_FACTORS: reloadable(
    subset(
      ['totp', 'email_otp', 'sms_otp', 'passkey'],
      'totp,email_otp,sms_otp,passkey',
      'Kinds of second factor that can be set up; those in force stay',
    ),
  ),
  MFA_RECOVERY_WAIT: duration(
    '72h',
    'Who has lost every second factor waits so long, while the owner can object; at least 24h in production',
  ),
  MFA_RECOVERY_APPROVAL_WITHIN: duration('14d', 'Support may approve a recovery for so long after the waiting period'),
  MFA_RECOVERY_TOKEN_EXPIRES_IN: duration('24h', 'The mailed link that completes a recovery works for so long'),
  MFA_REMEMBER_DEVICE_FOR: reloadable(
    duration(
      '0s',
      'A login may ask that its device shows no second factor for so long; 0s: never. Not for roles that act on other people’s accounts',
      0,
    ),
  ),
  MFA_REQUIRED_ROLES: reloadable(
    subset(
      ['CUSTOMER', 'MERCHANT', 'SUPPORT', 'COMPLIANCE', 'DEVELOPER', 'ADMIN', 'none'],
      'ADMIN,COMPLIANCE,SUPPORT',
      'Roles in force only after an authenticator app or a passkey was shown, and whose holders must set one up; none is for nobody',
    ),
  ),
  REAUTHENTICATION_MAX_AGE: duration(
    '15m',
    'A change of the phone without the password, and a first second factor, need a login that is not older than this',
  ),
  PHONE_CHANGE_HIGH_RISK_HOLD: duration('24h', 'High-risk acts wait so long after a change of the phone (SIM swap)'),
  PHONE_CHANGE_PAYOUT_HOLD: duration('72h', 'Payouts and the like wait so long after a change of the phone'),
  PASSWORD_POLICY: choice(
    ['standard', 'nist-single-factor'],
    'standard',
    'Shortest password: 8 characters, or with nist-single-factor 15 where no second factor is on',
  ),
  PASSWORD_BREACH_CHECK_URL: optionalHttpUrl(
    'Service of the Pwned Passwords range protocol, asked for each new password with 5 digits of its SHA-1 ' +
      '(such as https://api.pwnedpasswords.com/range); off when not set',
  ),
  PASSWORD_BREACH_CHECK_TIMEOUT: duration('1s', 'A breach check without an answer after this time is left out'),
  ARGON2_MEMORY_KIB: integer(19_456, 8_192, 1_048_576, 'Argon2id memory, KiB'),
  ARGON2_ITERATIONS: integer(2, 1, 20, 'Argon2id passes'),
  ARGON2_PARALLELISM: integer(1, 1, 16, 'Argon2id lanes'),
  PASSWORD_HASH_CONCURRENCY: integer(2, 1, 64, 'Password hashes computed at once; as many as there are cores'),
  PASSWORD_HASH_QUEUE: integer(128, 0, 10_000, 'Password hashes that may wait; more are answered with 503'),
  BLIND_INDEX_KEY: secretKey('Key of the blind indexes by which encrypted values are looked up'),
  TOKEN_KEY: secretKey('Key from which verification codes and successors of refresh tokens are derived'),
});

/** Sessions, second factors, password hashing and keys. Times are milliseconds. */
export const toSecurityConfig = (env: z.output<typeof securityEnv>) => ({
  refreshToken: {
    idleExpiresInMs: env.REFRESH_TOKEN_IDLE_EXPIRES_IN,
    absoluteExpiresInMs: env.REFRESH_TOKEN_ABSOLUTE_EXPIRES_IN,
  },
  maxSessionsPerUser: env.MAX_SESSIONS_PER_USER,
  registrationExpiresInMs: env.REGISTRATION_EXPIRES_IN,
  passwordResetExpiresInMs: env.PASSWORD_RESET_EXPIRES_IN,
  contactChangeExpiresInMs: env.CONTACT_CHANGE_EXPIRES_IN,
  mfaEnrollmentExpiresInMs: env.MFA_ENROLLMENT_EXPIRES_IN,
  mfaFactors: env.MFA_FACTORS,
  recovery: {
    waitMs: env.MFA_RECOVERY_WAIT,
    approvalMs: env.MFA_RECOVERY_APPROVAL_WITHIN,
    completionMs: env.MFA_RECOVERY_TOKEN_EXPIRES_IN,
  },
  rememberDevice: { forMs: env.MFA_REMEMBER_DEVICE_FOR },
  mfaRequiredRoles: env.MFA_REQUIRED_ROLES.filter((role) => role !== 'none'),
  reauthenticationMaxAgeMs: env.REAUTHENTICATION_MAX_AGE,
  holds: { highRiskMs: env.PHONE_CHANGE_HIGH_RISK_HOLD, payoutMs: env.PHONE_CHANGE_PAYOUT_HOLD },
  passwordPolicy: env.PASSWORD_POLICY,
  breachCheck: { url: env.PASSWORD_BREACH_CHECK_URL, timeoutMs: env.PASSWORD_BREACH_CHECK_TIMEOUT },
  passwordHash: {
    memoryKib: env.ARGON2_MEMORY_KIB,
    iterations: env.ARGON2_ITERATIONS,
    parallelism: env.ARGON2_PARALLELISM,
    concurrency: env.PASSWORD_HASH_CONCURRENCY,
    queueLimit: env.PASSWORD_HASH_QUEUE,
  },
  blindIndexKey: env.BLIND_INDEX_KEY,
  tokenKey: env.TOKEN_KEY,
});
export type SecurityConfig = ReturnType<typeof toSecurityConfig>;
