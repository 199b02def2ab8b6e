import { randomBytes } from 'node:crypto';

import { describe, expect, it } from '@jest/globals';

import { refreshTokenSchema } from '../contracts/session';

import { createRefreshTokens } from './refresh-token';

describe('refresh tokens', () => {
  const tokens = createRefreshTokens(randomBytes(32));

  it('start at random with 256 bits, and have the form of the contract all along the chain', () => {
    const chain = [tokens.first()];
    for (let step = 0; step < 20; step += 1) chain.push(tokens.successor(chain.at(-1) ?? ''));
    expect(new Set(chain).size).toBe(chain.length);
    for (const token of chain) expect(refreshTokenSchema.safeParse(token).success).toBe(true);
    expect(tokens.first()).not.toBe(tokens.first());
  });

  it('have one successor each, which only the key can tell', () => {
    const token = tokens.first();
    expect(tokens.successor(token)).toBe(tokens.successor(token));
    expect(createRefreshTokens(randomBytes(32)).successor(token)).not.toBe(tokens.successor(token));
  });
});
