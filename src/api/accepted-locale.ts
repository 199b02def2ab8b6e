import Negotiator from 'negotiator';

import { type Locale, localeSchema } from '../contracts/locale';

/** The language that a client likes best of ours (RFC 9110, section 12.5.4); undefined where it names none of them. */
export const acceptedLocale = (acceptLanguage: string | undefined): Locale | undefined => {
  if (acceptLanguage === undefined) return undefined;
  const [best] = new Negotiator({ headers: { 'accept-language': acceptLanguage } }).languages([
    ...localeSchema.options,
  ]);
  return localeSchema.optional().parse(best);
};
