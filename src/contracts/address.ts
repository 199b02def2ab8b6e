/** An IPv4 address that a dual-stack socket reports as IPv6. */
const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/** The address itself, an IPv4 address always in its own form. */
export const normalAddress = (address: string): string => MAPPED.exec(address)?.[1] ?? address;

/** The eight groups of an IPv6 address with `::` written out; without the zone of a link-local one. */
const groupsOf = (address: string): string[] => {
  const [head = '', tail] = (address.split('%')[0] ?? '').toLowerCase().split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => '0');
  return [...left, ...(tail === undefined ? [] : zeros), ...right].map((group) => group.replace(/^0+(?=.)/, ''));
};

/** What one subscriber can have at will: an IPv4 /24, an IPv6 /64. */
export const addressRange = (address: string): string => {
  const normal = normalAddress(address);
  if (!normal.includes(':')) return `${normal.split('.').slice(0, 3).join('.')}.0/24`;
  return `${groupsOf(normal).slice(0, 4).join(':')}::/64`;
};
