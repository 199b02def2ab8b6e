import { z } from 'zod';

import { describe, split, text } from './fields';

/** What apps send in the stead of a web origin, such as Android's `android:apk-key-hash:<hash of the certificate>`. */
const APP_ORIGIN = /^[a-z][a-z0-9+.-]*:[A-Za-z0-9._:/+=-]+$/;
const isWebOrigin = (value: string): boolean => /^https?:/.test(value);
const isOrigin = (value: string): boolean =>
  isWebOrigin(value) ? URL.canParse(value) && new URL(value).origin === value : APP_ORIGIN.test(value);
/** A domain name or `localhost`, in the form in which browsers compare it. */
const isDomain = (value: string): boolean =>
  value.length <= 253 && value.split('.').every((label) => /^(?!-)[a-z0-9-]{1,63}(?<!-)$/.test(label));

export const webauthnEnv = z.object({
  WEBAUTHN_RP_ID: describe(z.string().refine(isDomain, 'must be a domain name in lower case').optional(), {
    description:
      'Domain that passkeys belong to (WebAuthn relying party id): the host of every web origin, or a domain above it; the host of PUBLIC_URL when not set. Passkeys stop working when it changes',
    format: 'domain name',
  }),
  WEBAUTHN_RP_NAME: text('Meqenet', 'What authenticators show as the name of the service'),
  WEBAUTHN_ORIGINS: describe(
    z
      .string()
      .transform(split)
      .refine(
        (values) => values.length > 0 && values.every(isOrigin),
        'must be origins such as https://app.example, without a path, or of apps such as android:apk-key-hash:...',
      )
      .optional(),
    {
      description: 'Web origins and apps in which passkeys may be used; that of PUBLIC_URL when not set',
      format: 'comma-separated origins such as https://app.example or android:apk-key-hash:...',
    },
  ),
});

interface Chosen {
  readonly PUBLIC_URL: string;
  readonly WEBAUTHN_RP_ID?: string | undefined;
  readonly WEBAUTHN_ORIGINS?: readonly string[] | undefined;
}
const relyingPartyOf = ({ PUBLIC_URL, WEBAUTHN_RP_ID, WEBAUTHN_ORIGINS }: Chosen) => {
  const { hostname, origin } = new URL(PUBLIC_URL);
  return { id: WEBAUTHN_RP_ID ?? hostname, origins: WEBAUTHN_ORIGINS ?? [origin] };
};

/** Passkeys: the relying party, and where they may be used. */
export const toWebauthnConfig = (env: z.output<typeof webauthnEnv> & Pick<Chosen, 'PUBLIC_URL'>) => ({
  ...relyingPartyOf(env),
  name: env.WEBAUTHN_RP_NAME,
});
export type WebauthnConfig = ReturnType<typeof toWebauthnConfig>;

const DEFAULT_PUBLIC_URL = 'http://localhost:3001';

/** What is wrong with the relying party as a whole: browsers would refuse, or others could read and change what is sent. */
export const webauthnProblems = (values: Readonly<Record<string, string>>): string[] => {
  const { PUBLIC_URL = DEFAULT_PUBLIC_URL, WEBAUTHN_RP_ID, WEBAUTHN_ORIGINS, NODE_ENV } = values;
  if (!URL.canParse(PUBLIC_URL)) return [];
  const given = WEBAUTHN_ORIGINS === undefined ? undefined : split(WEBAUTHN_ORIGINS);
  const { id, origins } = relyingPartyOf({ PUBLIC_URL, WEBAUTHN_RP_ID, WEBAUTHN_ORIGINS: given });
  const sites = origins
    .filter((origin) => isWebOrigin(origin) && URL.canParse(origin))
    .map((origin) => new URL(origin));
  const isForeign = ({ hostname }: URL): boolean => hostname !== id && !hostname.endsWith(`.${id}`);
  const isProduction = NODE_ENV === 'production';
  return [
    ...(sites.some(isForeign) ? ['WEBAUTHN_ORIGINS: every host must be WEBAUTHN_RP_ID or below it'] : []),
    ...(isProduction && sites.some(({ protocol }) => protocol !== 'https:')
      ? ['WEBAUTHN_ORIGINS: must be https in production (without it PUBLIC_URL must be)']
      : []),
    ...(isProduction && !id.includes('.')
      ? ['WEBAUTHN_RP_ID: must be a domain in production (without it the host of PUBLIC_URL must be one)']
      : []),
  ];
};
