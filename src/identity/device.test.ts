import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { deviceOf, maskAddress, summariseUserAgent } from './device';

const CHROME_ANDROID =
  'Mozilla/5.0 (Linux; Android 14; SM-A155F) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36';
const SAFARI_IOS =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1';
const EDGE_WINDOWS =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0';

describe('a device', () => {
  test.each([
    [CHROME_ANDROID, 'Chrome on Android'],
    [SAFARI_IOS, 'Safari on iOS'],
    [EDGE_WINDOWS, 'Edge on Windows'],
    ['Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0', 'Firefox on Linux'],
    ['Meqenet/2.1 (Android 14)', 'Meqenet app on Android'],
    ['curl/8.5.0', 'Unknown device'],
    [undefined, 'Unknown device'],
    ['x'.repeat(10_000), 'Unknown device'],
  ])('%.60s is told as %s', (userAgent, summary) => {
    expect(summariseUserAgent(userAgent)).toBe(summary);
  });

  test.each([
    ['196.188.12.77', '196.188.12.*'],
    ['::ffff:196.188.12.77', '196.188.12.*'],
    ['2001:DB8:1:2:3:4:5:6', '2001:db8:1:*'],
    ['2001:db8::1', '2001:db8:*'],
    ['::1', ':*'],
  ])('at %s is told as %s', (address, masked) => {
    expect(maskAddress(address)).toBe(masked);
  });

  test('stays the same over updates of its program, and is what the client says where it does', () => {
    const origin = { requestId: 'r', ip: '10.0.0.1', deviceId: undefined, userAgent: CHROME_ANDROID };
    expect(deviceOf({ ...origin, userAgent: CHROME_ANDROID.replace('131', '132') }).key).toBe(deviceOf(origin).key);
    const named = deviceOf({ ...origin, deviceId: 'a-device-of-mine' });
    expect(deviceOf({ ...origin, deviceId: 'a-device-of-mine', userAgent: SAFARI_IOS }).key).toBe(named.key);
    expect(named.key).not.toBe(deviceOf(origin).key);
    for (const deviceId of ['short', 'a b c d e f g', 'x'.repeat(129), 'ä'.repeat(10)])
      expect(deviceOf({ ...origin, deviceId }).key).toBe(deviceOf(origin).key);
  });
});

describe('whatever a client says of itself', () => {
  const parts = [
    'Mozilla/5.0 ',
    'Version/',
    'Safari/',
    'Chrome/',
    '(',
    ')',
    'Android',
    'Mobile ',
    'iPhone',
    '\u0000',
    '<script>',
    'a',
    ' ',
  ];
  test('becomes one of a few names, and nothing of its own', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...parts), maxLength: 200 }), (userAgent) => {
        expect(summariseUserAgent(userAgent)).toMatch(
          /^(Unknown device|(Unknown program|[A-Z][A-Za-z]+( Internet| app)?)( on (Android|iOS|Windows|macOS|ChromeOS|Linux))?)$/,
        );
      }),
    );
  });
  test('beyond its first 512 characters is not looked at: one pattern takes steps quadratic in its length', () => {
    expect(summariseUserAgent(`${'Version/'.repeat(64)} Safari/`)).toBe('Unknown device');
    expect(summariseUserAgent(`${'Version/'.repeat(32)} Safari/`)).toBe('Safari');
  });
});
