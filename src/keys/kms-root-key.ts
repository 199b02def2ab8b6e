import { DecryptCommand, EncryptCommand, KMSClient } from '@aws-sdk/client-kms';

import { type KeyContext, type RootKey, RootKeyError } from '../contracts/keys';

const FORMAT = /^kms:(arn:aws[a-z-]*:kms:([a-z0-9-]+):\d{12}:key\/[A-Za-z0-9-]+):([A-Za-z0-9+/]+=*)$/;
const ATTEMPTS = 3;
const CONNECT_TIMEOUT_MS = 1_000;
const ANSWER_TIMEOUT_MS = 3_000;

/** Another key, another context, or an altered text. */
const NOT_AUTHENTIC = new Set(['InvalidCiphertextException', 'IncorrectKeyException']);
/** No such key, or not for us: waiting does not help. */
const UNUSABLE = new Set([
  ...['NotFoundException', 'DisabledException', 'KMSInvalidStateException', 'InvalidKeyUsageException'],
  ...['AccessDeniedException', 'InvalidArnException', 'InvalidGrantTokenException'],
]);

const toRootKeyError = (error: unknown, what: string): RootKeyError => {
  const { name = 'unknown error', code } = error as { name?: string; code?: unknown };
  const said = typeof code === 'string' ? code : name;
  if (NOT_AUTHENTIC.has(name)) {
    return new RootKeyError(
      'not_authentic',
      `${what}: it was made by another key or for another use, or altered (${said})`,
    );
  }
  if (UNUSABLE.has(name))
    return new RootKeyError('unknown_root_key', `${what}: AWS KMS does not let us use the key (${said})`);
  return new RootKeyError('unavailable', `${what}: AWS KMS does not answer (${said})`, { cause: error });
};

export interface KmsRootKeyOptions {
  /** ARNs of keys: the first wraps, all of them unwrap. No other is ever asked, whoever wrote it into the database. */
  readonly keyArns: readonly string[];
  /** Another address than those of the regions. */
  readonly endpoint?: string | undefined;
}

/**
 * Root keys in AWS KMS, which never leave it: `Encrypt` and `Decrypt` of symmetric keys, with id and purpose of the data key as
 * the encryption context. Credentials are found as every program of AWS finds them; the region is that of the key.
 */
export const createKmsRootKey = ({ keyArns, endpoint }: KmsRootKeyOptions): RootKey => {
  const [currentArn] = keyArns;
  const clients = new Map<string, KMSClient>();
  const clientFor = (arn: string): KMSClient => {
    const region = arn.split(':')[3] ?? '';
    const known = clients.get(region);
    if (known !== undefined) return known;
    const client = new KMSClient({
      region,
      ...(endpoint !== undefined && { endpoint }),
      maxAttempts: ATTEMPTS,
      requestHandler: {
        connectionTimeout: CONNECT_TIMEOUT_MS,
        requestTimeout: ANSWER_TIMEOUT_MS,
        throwOnRequestTimeout: true,
      },
    });
    clients.set(region, client);
    return client;
  };
  const contextOf = ({ id, purpose }: KeyContext) => ({ id, purpose });

  return {
    async wrap(dataKey, context) {
      const what = `Data key ${context.id} cannot be wrapped`;
      if (currentArn === undefined) throw new RootKeyError('unknown_root_key', `${what}: ROOT_KMS_KEY_ID names no key`);
      const command = new EncryptCommand({
        KeyId: currentArn,
        Plaintext: dataKey,
        EncryptionContext: contextOf(context),
      });
      const answer = await clientFor(currentArn)
        .send(command)
        .catch((error: unknown) => {
          throw toRootKeyError(error, what);
        });
      return `kms:${currentArn}:${Buffer.from(answer.CiphertextBlob ?? []).toString('base64')}`;
    },
    async unwrap(wrapped, context) {
      const what = `Data key ${context.id} cannot be unwrapped`;
      const [, arn, , sealed] = FORMAT.exec(wrapped) ?? [];
      if (arn === undefined || sealed === undefined) {
        throw new RootKeyError('malformed', `${what}: it was not wrapped by a key of AWS KMS`);
      }
      if (!keyArns.includes(arn)) {
        throw new RootKeyError('unknown_root_key', `${what}: it needs ${arn}, which ROOT_KMS_KEY_ID lacks`);
      }
      const command = new DecryptCommand({
        KeyId: arn,
        CiphertextBlob: Buffer.from(sealed, 'base64'),
        EncryptionContext: contextOf(context),
      });
      const answer = await clientFor(arn)
        .send(command)
        .catch((error: unknown) => {
          throw toRootKeyError(error, what);
        });
      return Buffer.from(answer.Plaintext ?? []);
    },
    isCurrent: (wrapped) => currentArn !== undefined && wrapped.startsWith(`kms:${currentArn}:`),
  };
};
