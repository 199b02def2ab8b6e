/** What keeps a session going. */
export interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string;
}

/** Where the tokens of one session are kept: in memory, a keychain, a cookie of your own. */
export interface TokenStore {
  read(): Tokens | undefined | Promise<Tokens | undefined>;
  /** Undefined once the session is over. */
  write(tokens: Tokens | undefined): void | Promise<void>;
}

/** Forgotten with the process. */
export const memoryTokens = (tokens?: Tokens): TokenStore => {
  let held = tokens;
  return {
    read: () => held,
    write: (next) => {
      held = next;
    },
  };
};
