import {
  MAX_PASSKEYS,
  type NewPasskey,
  type PasskeyDescriptor,
  type RegistrationCredential,
  registrationCredential,
} from '../contracts/passkey';

import type { FactorStrategy } from './factor-kinds';
import type { Sql } from './sql';

interface Dependencies {
  readonly newChallenge: () => string;
  readonly userHandle: (userId: string) => Uint8Array<ArrayBuffer>;
  readonly verifyRegistration: (
    challenge: string,
    credential: RegistrationCredential,
  ) => Promise<NewPasskey | undefined>;
}

/** A credential belongs to one account (WebAuthn level 3, section 7.1, step 26). */
const STANDING = {
  name: 'passkey-strategy/standing',
  text: `
    SELECT EXISTS (SELECT 1 FROM passkeys WHERE credential_id = $2) AS is_known,
      (SELECT count(*)::int FROM factors WHERE user_id = $1 AND type = 'PASSKEY') AS owned`,
};
const INSERT = {
  name: 'passkey-strategy/insert',
  text: `
    INSERT INTO passkeys (factor_id, credential_id, public_key, user_handle, sign_count, transports, backup_eligible, backed_up, aaguid)
    VALUES ($1, $2, $3, $4, $5, $6::text[], $7, $8, $9::uuid)`,
};

const parse = (code: string): RegistrationCredential | undefined => {
  try {
    return registrationCredential.safeParse(JSON.parse(code)).data;
  } catch {
    return undefined;
  }
};

/** A passkey is proven by the answer to a challenge, as JSON text. An account may have several. */
export const createPasskeyStrategy = (passkeys: Dependencies): FactorStrategy => {
  const mayStore = async (sql: Sql, userId: string, { credentialId }: PasskeyDescriptor): Promise<boolean> => {
    const [standing] = await sql<{ is_known: boolean; owned: number }>(STANDING, [userId, credentialId]);
    return standing?.is_known === false && standing.owned < MAX_PASSKEYS;
  };

  return {
    isSingle: false,
    begin: () => passkeys.newChallenge(),

    async prove(sql, { userId, secret: challenge }, code) {
      const credential = parse(code);
      const passkey = credential && (await passkeys.verifyRegistration(challenge, credential));
      if (passkey === undefined || !(await mayStore(sql, userId, passkey))) return undefined;
      const { credentialId, publicKey, signCount, transports, backupEligible, backedUp, aaguid } = passkey;
      return {
        async store(transaction, { factorId }) {
          const values = [factorId, credentialId, publicKey, passkeys.userHandle(userId), signCount, transports];
          await transaction(INSERT, [...values, backupEligible, backedUp, aaguid]);
        },
      };
    },
  };
};
