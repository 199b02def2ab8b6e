import type { AccountErasures } from '../../identity/account-erasures';
import type { AccountRecoveries } from '../../identity/account-recoveries';
import type { AdminAudit } from '../../identity/admin-audit';
import type { AdminUsers } from '../../identity/admin-users';
import type { FactorCodes } from '../../identity/factor-codes';
import type { LoginChallenges } from '../../identity/login-challenges';
import type { Profile } from '../../identity/profile';
import type { RecoveryReviews } from '../../identity/recovery-reviews';
import type { RememberedDevices } from '../../identity/remembered-devices';
import type { StepUp } from '../../identity/step-up';
import type { Route } from '../route';

import { accountErasureRoutes } from './account-erasure';
import { accountRecoveryRoutes } from './account-recovery';
import { adminAuditRoutes } from './admin-audit';
import { adminRecoveryRoutes } from './admin-recoveries';
import { adminUserRoutes } from './admin-users';
import { consentRoutes } from './consent';
import { contactChangeRoutes } from './contact-change';
import { dataExportRoutes } from './data-export';
import { mfaRoutes } from './mfa';
import { passkeyRoutes } from './passkey';
import { passwordRoutes } from './password';
import { registrationRoutes } from './registration';
import { rememberedDeviceRoutes } from './remembered-device';
import { factorCodeRoutes, secondFactorRoutes } from './second-factor';
import { sessionRoutes } from './session';
import { userRoutes } from './user';
import { userEventRoutes } from './user-events';

type First<F extends (first: never) => unknown> = Parameters<F>[0];

/** What the routes of the API do their work with. */
export type ApiServices = First<typeof sessionRoutes> &
  First<typeof contactChangeRoutes> & {
    readonly registrations: First<typeof registrationRoutes>;
    readonly passwords: First<typeof passwordRoutes>;
    readonly challenges: LoginChallenges;
    readonly stepUp: StepUp;
    readonly factorCodes: FactorCodes;
    readonly enrollments: Parameters<typeof mfaRoutes>[0];
    readonly factors: Parameters<typeof mfaRoutes>[1];
    readonly remembered: RememberedDevices;
    readonly profile: Profile;
    readonly passkeys: First<typeof passkeyRoutes>;
    readonly recoveries: AccountRecoveries;
    readonly consents: First<typeof consentRoutes>;
    readonly erasures: AccountErasures;
    readonly eventStreams: First<typeof userEventRoutes>;
    readonly dataExports: First<typeof dataExportRoutes>;
    readonly adminUsers: AdminUsers;
    readonly recoveryReviews: RecoveryReviews;
    readonly adminAudit: AdminAudit;
  };

/**
 * Every route of the API but those of its health. In one place, so that the OpenAPI document can be made without a running
 * service (`tools/openapi.ts`) and cannot miss one.
 */
export const apiRoutes = (services: ApiServices): Route[] => [
  ...registrationRoutes(services.registrations),
  ...passwordRoutes(services.passwords),
  ...sessionRoutes(services),
  ...secondFactorRoutes(services.challenges, services.stepUp),
  ...factorCodeRoutes(services.challenges, services.factorCodes),
  ...mfaRoutes(services.enrollments, services.factors),
  ...rememberedDeviceRoutes(services.remembered),
  ...passkeyRoutes(services.passkeys),
  ...accountRecoveryRoutes(services.recoveries),
  ...userRoutes(services.profile),
  ...userEventRoutes(services.eventStreams),
  ...consentRoutes(services.consents),
  ...accountErasureRoutes(services.erasures),
  ...dataExportRoutes(services.dataExports),
  ...contactChangeRoutes(services),
  ...adminUserRoutes(services.adminUsers),
  ...adminRecoveryRoutes(services.recoveryReviews),
  ...adminAuditRoutes(services.adminAudit),
];
