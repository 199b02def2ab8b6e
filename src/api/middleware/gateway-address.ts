import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';

import type { AppMiddleware } from '../context';

const HEADER = 'x-gateway-secret';

/** Digests are of one length, so that comparing them takes one time. */
const digest = (value: string | Buffer): Buffer => createHash('sha256').update(value).digest();

/**
 * Takes the client's address from the gateway, which shows a secret that the two share: `X-Forwarded-For` of anyone else is
 * theirs to write. The gateway sends exactly one address.
 *
 * @param config read at each use: the secret may change while the process runs
 */
export const gatewayAddress = (config: { readonly secrets: readonly Buffer[] | undefined }): AppMiddleware => {
  const isKnown = (given: string): boolean => {
    const wanted = digest(Buffer.from(given, 'base64'));
    // Every one of them, so that the time does not tell which.
    return (config.secrets ?? []).map((secret) => timingSafeEqual(digest(secret), wanted)).includes(true);
  };
  return ({ request, req }, next) => {
    const given = req.headers[HEADER];
    if (given === undefined) return next();
    Reflect.deleteProperty(req.headers, HEADER);
    const address = req.headers['x-forwarded-for'];
    if (typeof given === 'string' && typeof address === 'string' && isIP(address) !== 0 && isKnown(given)) {
      request.ip = address;
    }
    return next();
  };
};
