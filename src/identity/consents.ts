import type { PrivacyConfig } from '../config/privacy.config';
import type { RequestOrigin } from '../contracts/audit';
import type { Caller } from '../contracts/caller';
import type { ConsentsResponse, ConsentStanding, GiveConsentRequest } from '../contracts/consent';
import { AppError } from '../contracts/errors';
import type { ConsentRepository, StandingConsent } from '../repositories/consent-repository';

interface Dependencies {
  readonly consents: ConsentRepository;
  /** Read at every use: another version of a document takes no restart. */
  readonly config: Pick<PrivacyConfig, 'consentDocuments'>;
}

type Document = PrivacyConfig['consentDocuments'][number];

/** What a person has consented to. A consent is never changed: a new act is added, and the newest holds. */
export interface Consents {
  read(caller: Caller): Promise<ConsentsResponse>;
  /** @throws {AppError} `consent_version_unknown`, `invalid_token` */
  give(caller: Caller, consent: GiveConsentRequest, origin: RequestOrigin): Promise<ConsentStanding>;
  /** @throws {AppError} `consent_required`, `consent_not_found`, `invalid_token` */
  withdraw(caller: Caller, purpose: string, origin: RequestOrigin): Promise<void>;
}

const toStanding = (
  purpose: string,
  document: Document | undefined,
  newest: StandingConsent | undefined,
): ConsentStanding => ({
  purpose,
  required: document?.isRequired ?? false,
  currentVersion: document?.version ?? null,
  status: newest?.act ?? 'never_given',
  version: newest?.version ?? null,
  since: newest?.at.toISOString() ?? null,
  upToDate: newest?.act === 'given' && newest.version === document?.version,
});

export const createConsents = ({ consents, config }: Dependencies): Consents => {
  const documentOf = (purpose: string): Document | undefined =>
    config.consentDocuments.find((document) => document.purpose === purpose);

  /** Every purpose that is asked for, and those that the person has acted on before. */
  const standings = async (userId: string): Promise<ConsentStanding[]> => {
    const newest = new Map((await consents.standing(userId)).map((consent) => [consent.purpose, consent]));
    const purposes = new Set([...config.consentDocuments.map(({ purpose }) => purpose), ...newest.keys()]);
    return [...purposes].map((purpose) => toStanding(purpose, documentOf(purpose), newest.get(purpose)));
  };

  return {
    async read({ userId }) {
      const [current, history] = await Promise.all([standings(userId), consents.history(userId)]);
      return { consents: current, history };
    },

    async give({ userId }, consent, origin) {
      // Nobody consents to a text that is not (or no longer) shown.
      if (documentOf(consent.purpose)?.version !== consent.version) throw new AppError('consent_version_unknown');
      if (!(await consents.give(userId, consent, origin))) throw new AppError('invalid_token');
      const given = (await standings(userId)).find(({ purpose }) => purpose === consent.purpose);
      return given ?? toStanding(consent.purpose, documentOf(consent.purpose), undefined);
    },

    async withdraw({ userId }, purpose, origin) {
      if (documentOf(purpose)?.isRequired === true) throw new AppError('consent_required');
      const outcome = await consents.withdraw(userId, purpose, origin);
      if (outcome === 'never_given') throw new AppError('consent_not_found');
      if (outcome === 'closed') throw new AppError('invalid_token');
    },
  };
};
