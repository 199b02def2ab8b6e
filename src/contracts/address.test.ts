import { describe, expect, it } from '@jest/globals';

import { addressRange, normalAddress } from './address';

describe('an address', () => {
  it.each([
    ['192.0.2.77', '192.0.2.0/24'],
    ['::ffff:192.0.2.77', '192.0.2.0/24'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8::6', '2001:db8:0:0::/64'],
    ['2001:0DB8:0000:0000::6', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ])('%s is in %s', (address, range) => {
    expect(addressRange(address)).toBe(range);
  });

  it('has one form for IPv4', () => {
    expect(normalAddress('::ffff:192.0.2.77')).toBe('192.0.2.77');
    expect(normalAddress('192.0.2.77')).toBe('192.0.2.77');
  });
});
