/** Values by the names of the variables that they are. */
export type SecretValues = Readonly<Record<string, string>>;

/** Where secrets are kept. */
export interface SecretsProvider {
  /** All of them, as they are now. @throws {SecretsUnavailableError} */
  read(): Promise<SecretValues>;
  close(): void;
}

/** Secrets cannot be read. Its message names places and reasons, never a value. */
export class SecretsUnavailableError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SecretsUnavailableError';
  }
}

/** The environment and the files of `NAME_FILE`, which the configuration reads by itself at each look: nothing comes besides. */
export const environmentProvider: SecretsProvider = { read: () => Promise.resolve({}), close: () => undefined };
