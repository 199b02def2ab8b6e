import { ServerCredentials } from '@grpc/grpc-js';

import type { ServerTls } from '../config/tls.config';

const toSecureContext = ({ clientCa, ...tls }: ServerTls) => ({
  ...tls,
  ...(clientCa !== undefined && { ca: clientCa }),
});

/**
 * TLS as the HTTP servers speak it. Those of grpc-js take every protocol and suite of the runtime.
 * Whether clients must show a certificate is settled at the start; whose, may change with the certificate.
 */
export class TlsCredentials extends ServerCredentials {
  constructor(tls: ServerTls) {
    const isMutual = tls.clientCa !== undefined;
    super({ requestCert: isMutual, rejectUnauthorized: isMutual }, toSecureContext(tls));
  }

  /** For new connections. */
  renew(tls: ServerTls): void {
    this.updateSecureContextOptions(toSecureContext(tls));
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}
