import { isIP } from 'node:net';

/** An IPv4 address that a dual-stack socket reports as IPv6. */
const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

const plain = (address: string): string => MAPPED.exec(address)?.[1] ?? address;

/**
 * What the outermost of the proxies in front saw. Each of them appends one, so that counting is from the end; what stands before is
 * the client's own invention.
 *
 * @param list every header of the name, joined with commas
 */
const seenByOutermost = (list: string | undefined, hops: number): string | undefined => {
  if (hops === 0 || list === undefined) return undefined;
  const seen = list.split(',').map((part) => part.trim());
  return seen[Math.max(0, seen.length - hops)];
};

/**
 * The address of the client: that of the connection, or with proxies in front what the outermost of them saw.
 *
 * @param forwardedFor every `X-Forwarded-For` of the request, joined with commas
 * @param hops proxies in front of the gateway
 */
export const clientAddress = (connection: string, forwardedFor: string | undefined, hops: number): string => {
  const claimed = seenByOutermost(forwardedFor, hops) ?? '';
  // Whatever is no address came from no proxy of ours.
  return isIP(claimed) === 0 ? plain(connection) : plain(claimed);
};

/**
 * How the client speaks: as on the connection, or as the proxies in front say.
 *
 * @param forwardedProto every `X-Forwarded-Proto` of the request, joined with commas
 * @param hops proxies in front of the gateway
 */
export const clientScheme = (isSecure: boolean, forwardedProto: string | undefined, hops: number): 'http' | 'https' => {
  const claimed = seenByOutermost(forwardedProto, hops)?.toLowerCase();
  if (claimed === 'http' || claimed === 'https') return claimed;
  return isSecure ? 'https' : 'http';
};
