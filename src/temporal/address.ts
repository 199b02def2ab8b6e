import type { TLSConfig } from '@temporalio/client';

import type { TemporalConfig } from '../config/temporal.config';
import type { ClientTls } from '../config/tls.config';

const toTlsConfig = ({ ca, cert, key, servername }: ClientTls): TLSConfig => ({
  ...(ca !== undefined && { serverRootCACertificate: Buffer.from(ca) }),
  ...(servername !== undefined && { serverNameOverride: servername }),
  ...(cert !== undefined && key !== undefined && { clientCertPair: { crt: Buffer.from(cert), key: Buffer.from(key) } }),
});

/** Where the frontend is, in the words of both SDK connections. Neither speaks a version before TLS 1.2. */
export const toAddress = ({ address, tls }: Pick<TemporalConfig, 'address' | 'tls'>) => ({
  address,
  tls: tls === undefined ? false : toTlsConfig(tls),
});
