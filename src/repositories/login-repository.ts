import type { Database } from './prisma-client';
import type { LoginFailureKey, LoginFailures } from './login-failure-repository';
import type { User } from './user-repository';

/** What a login names its account by, as its blind index. */
export interface LoginIdentifier {
  readonly field: 'email' | 'phone';
  readonly index: Uint8Array<ArrayBuffer>;
}

/** What a login needs to know of an account. */
export interface LoginAccount {
  readonly userId: string;
  readonly status: User['status'];
  readonly passwordHash: string;
  readonly passwordChangedAt: Date;
  readonly emailIndex: Uint8Array;
  readonly hasSecondFactor: boolean;
  /** When the device was last seen with this account, to the day; undefined for one that it does not know. */
  readonly deviceLastUsedAt?: Date | undefined;
}

export interface LoginStanding {
  readonly account: LoginAccount | undefined;
  /** What is remembered under each key, in their order. */
  readonly failures: readonly (LoginFailures | undefined)[];
}

export interface LoginRepository {
  /** All that must be known before a password is looked at, in one round trip, whether or not there is an account. */
  find(
    identifier: LoginIdentifier,
    deviceIndex: LoginFailureKey | undefined,
    failureKeys: readonly LoginFailureKey[],
  ): Promise<LoginStanding>;
}

const findBy = (column: 'email_index' | 'phone_index') => ({
  name: `login/find-by-${column}`,
  text: `
    SELECT u.id, u.status::text, p.hash, p.changed_at, u.email_index, d.last_used_at, f.failures,
      EXISTS (SELECT 1 FROM factors WHERE user_id = u.id) AS has_second_factor
    FROM (
      SELECT json_agg(json_build_array(encode(key, 'hex'), failures, last_failed_at)) AS failures
      FROM login_failures WHERE key = ANY($2::bytea[]) AND expires_at > $3
    ) f
    LEFT JOIN (users u JOIN password_credentials p ON p.user_id = u.id) ON u.${column} = $1
    LEFT JOIN known_devices d ON d.user_id = u.id AND d.device_index = $4`,
});
const FIND_BY = { email: findBy('email_index'), phone: findBy('phone_index') } as const;

interface AccountRow {
  readonly id: string;
  readonly status: User['status'];
  readonly hash: string;
  readonly changed_at: Date;
  readonly email_index: Buffer;
  readonly has_second_factor: boolean;
  readonly last_used_at: Date | null;
}
interface Row extends AccountRow {
  /** Key (hex), how many, when the last one was. */
  readonly failures: readonly (readonly [string, number, string])[] | null;
}

const toAccount = (row: AccountRow): LoginAccount => ({
  userId: row.id,
  status: row.status,
  passwordHash: row.hash,
  passwordChangedAt: row.changed_at,
  emailIndex: row.email_index,
  hasSecondFactor: row.has_second_factor,
  deviceLastUsedAt: row.last_used_at ?? undefined,
});

export const createLoginRepository = ({ sql }: Pick<Database, 'sql'>): LoginRepository => ({
  async find({ field, index }, deviceIndex, failureKeys) {
    const values = [index, failureKeys, new Date(), deviceIndex ?? null];
    const [row] = await sql<Row | (Row & { readonly id: null })>(FIND_BY[field], values);
    const byKey = new Map(row?.failures?.map(([key, count, lastFailedAt]) => [key, { count, lastFailedAt }]));
    return {
      account: row?.id == null ? undefined : toAccount(row),
      failures: failureKeys.map((key) => {
        const found = byKey.get(Buffer.from(key).toString('hex'));
        return found && { count: found.count, lastFailedAt: new Date(found.lastFailedAt) };
      }),
    };
  },
});
