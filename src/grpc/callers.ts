import { hash, timingSafeEqual } from 'node:crypto';

import type { Metadata } from '@grpc/grpc-js';

import type { ServiceToken } from '../config/grpc.config';
import { AppError } from '../contracts/errors';

/** What a call shows of who makes it. */
export interface CallerCredentials {
  readonly metadata: Metadata;
  /** Of a connection whose client certificate has been verified. Reading it takes longer than all else that is done here. */
  readonly certificateName: () => string | undefined;
}

/** @returns the name of the service that calls @throws {AppError} `invalid_service_token` */
export type AuthenticateService = (credentials: CallerCredentials) => string;

const hashOf = (token: string): Buffer => hash('sha256', token, 'buffer');

/**
 * Services show a client certificate or a token. Every token of the list is compared, each in constant time.
 *
 * @param config read at use: tokens are rotated while the process runs
 */
export const createAuthenticateService = (config: {
  readonly serviceTokens: readonly ServiceToken[];
}): AuthenticateService => {
  let known: { readonly list: readonly ServiceToken[]; readonly hashes: readonly Buffer[] } = { list: [], hashes: [] };

  const hashesOf = (list: readonly ServiceToken[]): readonly Buffer[] => {
    if (known.list !== list) known = { list, hashes: list.map(({ token }) => hashOf(token)) };
    return known.hashes;
  };

  return ({ metadata, certificateName }) => {
    const [header] = metadata.get('authorization');
    const [, token] = /^Bearer +(\S{1,512})$/i.exec(typeof header === 'string' ? header : '') ?? [];
    if (header !== undefined) {
      const shown = hashOf(token ?? '');
      const { serviceTokens } = config;
      const matches = hashesOf(serviceTokens).map((each) => timingSafeEqual(each, shown));
      const found = serviceTokens[matches.indexOf(true)];
      if (found !== undefined) return found.caller;
    }
    const name = header === undefined ? certificateName() : undefined;
    if (name !== undefined) return name;
    throw new AppError('invalid_service_token');
  };
};
