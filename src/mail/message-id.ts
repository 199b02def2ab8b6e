import { createHash } from 'node:crypto';

/** 128 bits: more than enough to keep keys apart, short enough for one header line. */
const HASH_HEX_DIGITS = 32;

/**
 * The domain of a sender such as `Meqenet <no-reply@meqenet.et>` or `no-reply@meqenet.et`.
 *
 * @throws {TypeError} when the text does not end in an address
 */
export const senderDomain = (from: string): string => {
  const [, domain] = /@([A-Za-z0-9.-]+)>?\s*$/.exec(from) ?? [];
  if (domain === undefined) throw new TypeError('The sender of mails is not an e-mail address');
  return domain.toLowerCase();
};

/**
 * The Message-ID (RFC 5322, 3.6.4) of a delivery: the same key always gives the same id, so that mail systems and
 * people can tell a second copy of a mail from a second mail. Keys hold ids only, and the hash keeps even those out.
 *
 * @param key such as `welcome/<userId>`
 * @param domain the sender's
 */
export const messageIdFor = (key: string, domain: string): string =>
  `<${createHash('sha256').update(key).digest('hex').slice(0, HASH_HEX_DIGITS)}@${domain}>`;
