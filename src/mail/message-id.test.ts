import { describe, expect, test } from '@jest/globals';

import { messageIdFor, senderDomain } from './message-id';

describe('messageIdFor', () => {
  test('gives the same key the same id, and another key or issue another', () => {
    const id = messageIdFor('verification/019ac0de/1', 'meqenet.et');
    expect(id).toMatch(/^<[0-9a-f]{32}@meqenet\.et>$/);
    expect(messageIdFor('verification/019ac0de/1', 'meqenet.et')).toBe(id);
    expect(messageIdFor('verification/019ac0de/2', 'meqenet.et')).not.toBe(id);
  });
});

describe('senderDomain', () => {
  test.each(['Meqenet <no-reply@meqenet.et>', 'no-reply@Meqenet.ET', '"a@b" <no-reply@meqenet.et> '])(
    'of %s',
    (from) => {
      expect(senderDomain(from)).toBe('meqenet.et');
    },
  );

  test('refuses a sender without an address', () => {
    expect(() => senderDomain('Meqenet')).toThrow(TypeError);
  });
});
