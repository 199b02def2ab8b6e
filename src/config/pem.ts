import { createPrivateKey, X509Certificate } from 'node:crypto';

import { z } from 'zod';

import { describe } from './fields';

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;
const FORMAT = 'PEM; a line break may be written as \\n';

/** Files of environment variables cannot hold several lines, so line breaks may be written as `\n`. */
const withLineBreaks = (value: string): string => value.replaceAll('\\n', '\n');

/** The certificates of a PEM text, in its order. @throws when one of them is none */
export const toCertificates = (pem: string): X509Certificate[] =>
  [...pem.matchAll(CERTIFICATE)].map(([text]) => new X509Certificate(text));

const holdsCertificates = (pem: string): boolean => {
  try {
    return toCertificates(pem).length > 0;
  } catch {
    return false;
  }
};

const holdsKey = (pem: string): boolean => {
  try {
    return createPrivateKey(pem).type === 'private';
  } catch {
    return false;
  }
};

/** Whether the key is that of the first certificate, if there is one. @throws when one of them is malformed */
export const fitsTogether = (certificates: string, key: string): boolean =>
  toCertificates(certificates)[0]?.checkPrivateKey(createPrivateKey(key)) !== false;

/** Certificates as PEM, in the environment or in the file that `NAME_FILE` names. */
export const certificates = (description: string) =>
  describe(
    z.string().transform(withLineBreaks).refine(holdsCertificates, 'must be certificates in PEM form').optional(),
    { description, format: FORMAT, file: true },
  );

/** A private key as PEM, without a passphrase. */
export const privateKey = (description: string) =>
  describe(
    z
      .string()
      .transform(withLineBreaks)
      .refine(holdsKey, 'must be a private key in PEM form, not encrypted')
      .optional(),
    { description, format: FORMAT, secret: true },
  );
