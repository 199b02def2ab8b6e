import { afterAll, beforeAll } from '@jest/globals';

import { type Authority, createAuthority, type Issued } from './certificates';
import { startTlsProxy, type TlsProxy, type TlsProxyOptions } from './tls-proxy';

/** Who vouches for whom in the tests of one file. */
export interface MutualTls {
  readonly authority: Authority;
  /** One that nobody trusts. */
  readonly stranger: Authority;
  /** What the service shows. */
  readonly client: Issued;
}

/** Call it first in a test file; what it gives is there once the tests begin. */
export const useMutualTls = (): MutualTls => {
  const made: Partial<{ -readonly [Name in keyof MutualTls]: MutualTls[Name] }> = {};
  beforeAll(async () => {
    const [authority, stranger] = await Promise.all([createAuthority(), createAuthority('Somebody else')]);
    Object.assign(made, { authority, stranger, client: await authority.issueClient('meqenet') });
  });
  return made as MutualTls;
};

/** Names of the settings of TLS to a part. */
type TlsSetting<Prefix extends string> = `${Prefix}_TLS${'' | '_CA' | '_CERTIFICATE' | '_KEY' | '_SERVER_NAME'}`;

interface ProxyParts<Prefix extends string> {
  /** What its certificate says. */
  readonly name: string;
  /** Beginning of the names of the settings that lead to it. */
  readonly prefix: Prefix;
  readonly target: () => Pick<TlsProxyOptions, 'targetPort' | 'alpn'>;
}

/** A proxy that ends TLS in front of a server, and asks for a certificate. */
export const useMutualTlsProxy = <Prefix extends string>({ name, prefix, target }: ProxyParts<Prefix>) => {
  const tls = useMutualTls();
  let proxy: TlsProxy | undefined;
  beforeAll(async () => {
    const server = await tls.authority.issue(name);
    proxy = await startTlsProxy({ ...server, clientCa: tls.authority.cert, ...target() });
  });
  afterAll(() => proxy?.close());
  const running = (): TlsProxy => {
    if (proxy === undefined) throw new Error('the proxy has not been started yet');
    return proxy;
  };
  return {
    tls,
    proxy: running,
    /** Settings with which it is reached, but for its address. */
    env: () =>
      ({
        [`${prefix}_TLS`]: 'true',
        [`${prefix}_TLS_CA`]: tls.authority.cert,
        [`${prefix}_TLS_CERTIFICATE`]: tls.client.cert,
        [`${prefix}_TLS_KEY`]: tls.client.key,
        [`${prefix}_TLS_SERVER_NAME`]: name,
      }) as Record<TlsSetting<Prefix>, string>,
  };
};
