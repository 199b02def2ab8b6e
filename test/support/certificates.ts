import { generate } from 'selfsigned';

export interface Issued {
  /** PEM. */
  readonly cert: string;
  readonly key: string;
}

/** An authority that exists for one test, and vouches for whatever it is asked to. */
export interface Authority {
  /** PEM of its own certificate. */
  readonly cert: string;
  /** A certificate of a server with these host names and addresses. */
  issue(...names: readonly string[]): Promise<Issued>;
  issueClient(name: string): Promise<Issued>;
}

const EC = { keyType: 'ec', curve: 'P-256', algorithm: 'sha256' } as const;
const isAddress = (name: string): boolean => /^[\d.]+$|:/.test(name);

export const createAuthority = async (name = 'Test authority'): Promise<Authority> => {
  const own = await generate([{ name: 'commonName', value: name }], {
    ...EC,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  const issue = async (names: readonly string[], usage: 'serverAuth' | 'clientAuth'): Promise<Issued> => {
    const issued = await generate([{ name: 'commonName', value: names[0] ?? '' }], {
      ...EC,
      ca: { key: own.private, cert: own.cert },
      extensions: [
        { name: 'basicConstraints', cA: false },
        { name: 'keyUsage', digitalSignature: true, critical: true },
        { name: 'extKeyUsage', [usage]: true },
        {
          name: 'subjectAltName',
          altNames: names.map((value) => (isAddress(value) ? { type: 7, ip: value } : { type: 2, value })),
        },
      ],
    });
    return { cert: issued.cert, key: issued.private };
  };
  return {
    cert: own.cert,
    issue: (...names) => issue(names, 'serverAuth'),
    issueClient: (client) => issue([client], 'clientAuth'),
  };
};

/** What OpenSSL calls a certificate that no known authority vouches for; which of them depends on what the server sends. */
export const NOT_TRUSTED =
  /^(SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT_LOCALLY)$/;
