import { EXPORTS_PER_DAY, type ExportContent } from '../contracts/data-export';
import type { RequestOrigin } from '../contracts/audit';
import type { FieldCipher, FieldLocation } from '../contracts/data-protection';

import type { AuditTrail } from './audit-trail';
import { EXPORT_SECTIONS, type SealedColumn, type Section } from './export-sections';
import type { Database } from './prisma-client';

export interface FoundExport {
  readonly id: string;
  readonly status: 'PENDING' | 'READY' | 'EXPIRED';
  readonly requestedAt: Date;
  readonly expiresAt: Date | null;
}
interface OwnExport {
  readonly exportId: string;
  readonly userId: string;
}

export interface DataExportRepository {
  /** Stores an export that is asked for, or gives the one that is being made. */
  create(request: OwnExport, origin: RequestOrigin): Promise<FoundExport | 'limit_reached' | 'closed'>;
  find(own: OwnExport): Promise<FoundExport | undefined>;
  /** Collects everything and stores it, encrypted; what is there already is left. Undefined where nobody asked for it (any more). */
  collect(own: OwnExport, expiresInMs: number): Promise<{ expiresAt: Date } | undefined>;
  /** Undefined where there is none that can be downloaded; that it was is recorded. */
  read(own: OwnExport, origin: RequestOrigin): Promise<ExportContent | undefined>;
  /** Drops what it holds. */
  expire(exportId: string): Promise<void>;
}

interface Dependencies {
  readonly database: Pick<Database, 'sql' | 'transact'>;
  readonly cipher: FieldCipher;
  readonly auditCipher: Pick<FieldCipher, 'decrypt'>;
  readonly audit: Pick<AuditTrail, 'append'>;
}

const COLUMNS = 'id, status::text, requested_at AS "requestedAt", expires_at AS "expiresAt"';
const HOLD_ACCOUNT = {
  name: 'data-export/hold-account',
  text: `SELECT id FROM users WHERE id = $1 AND status = 'ACTIVE' FOR NO KEY UPDATE`,
};
const FIND = { name: 'data-export/find', text: `SELECT ${COLUMNS} FROM data_exports WHERE id = $1 AND user_id = $2` };
const FIND_PENDING = {
  name: 'data-export/find-pending',
  text: `SELECT ${COLUMNS} FROM data_exports WHERE user_id = $1 AND status = 'PENDING'`,
};
const COUNT = {
  name: 'data-export/count',
  text: `SELECT count(*)::int AS count FROM data_exports WHERE user_id = $1 AND requested_at > now() - interval '1 day'`,
};
const INSERT = {
  name: 'data-export/insert',
  text: `INSERT INTO data_exports (id, user_id, requested_at) VALUES ($1, $2, $3) RETURNING ${COLUMNS}`,
};
const STORE = {
  name: 'data-export/store',
  text: `
    UPDATE data_exports SET status = 'READY', content_ciphertext = $3, expires_at = $4
    WHERE id = $1 AND user_id = $2 AND status = 'PENDING' RETURNING id`,
};
const READ = {
  name: 'data-export/read',
  text: `
    SELECT content_ciphertext AS content FROM data_exports
    WHERE id = $1 AND user_id = $2 AND status = 'READY' AND expires_at > $3 AND content_ciphertext IS NOT NULL`,
};
const EXPIRE = {
  name: 'data-export/expire',
  text: `UPDATE data_exports SET status = 'EXPIRED', content_ciphertext = NULL WHERE id = $1`,
};

const contentLocation = ({ exportId, userId }: OwnExport): FieldLocation => ({
  table: 'data_exports',
  column: 'content_ciphertext',
  rowId: exportId,
  personId: userId,
});

type Row = Readonly<Record<string, unknown>>;

export const createDataExportRepository = (deps: Dependencies): DataExportRepository => {
  const { database, cipher, auditCipher, audit } = deps;

  const open = async (value: string, { table, column, isJson }: SealedColumn, rowId: string, personId: string) => {
    const { decrypt } = table === 'audit_events' ? auditCipher : cipher;
    const text = await decrypt(value, { table, column, rowId, personId });
    return isJson === true ? (JSON.parse(text) as unknown) : text;
  };

  const readRow = async ({ rowId, ...row }: Row, sealed: Section['sealed'], userId: string): Promise<Row> => {
    const opened = Object.entries(sealed ?? {}).map(async ([field, column]) => {
      const value = row[field];
      return [field, typeof value === 'string' ? await open(value, column, String(rowId), userId) : null] as const;
    });
    return { ...row, ...Object.fromEntries(await Promise.all(opened)) };
  };

  const readSections = async (userId: string): Promise<ExportContent> => {
    const sections = Object.entries(EXPORT_SECTIONS).map(async ([name, { text, sealed }]) => {
      const rows = await database.sql<Record<string, unknown>>({ name: `data-export/section/${name}`, text }, [userId]);
      return [name, await Promise.all(rows.map((row) => readRow(row, sealed, userId)))] as const;
    });
    const content = Object.fromEntries(await Promise.all(sections));
    return { generatedAt: new Date().toISOString(), ...content } as unknown as ExportContent;
  };

  const find = async ({ exportId, userId }: OwnExport): Promise<FoundExport | undefined> =>
    (await database.sql<FoundExport>(FIND, [exportId, userId]))[0];

  return {
    find,

    create: ({ exportId, userId }, origin) =>
      database.transact(async (sql) => {
        if ((await sql(HOLD_ACCOUNT, [userId])).length === 0) return 'closed';
        const [known] = await sql<FoundExport>(FIND, [exportId, userId]);
        const [pending = known] = await sql<FoundExport>(FIND_PENDING, [userId]);
        if (pending !== undefined) return pending;
        const [made] = await sql<{ count: number }>(COUNT, [userId]);
        if ((made?.count ?? 0) >= EXPORTS_PER_DAY) return 'limit_reached';
        const [created] = await sql<FoundExport>(INSERT, [exportId, userId, new Date()]);
        if (created === undefined) throw new Error('A row was not stored');
        const [actor, details] = [{ kind: 'user', id: userId } as const, { exportId }];
        await audit.append(sql, { action: 'data.export_requested', actor, subjectId: userId, origin, details });
        return created;
      }),

    async collect(own, expiresInMs) {
      const found = await find(own);
      if (found === undefined || found.status === 'EXPIRED') return undefined;
      if (found.expiresAt !== null) return { expiresAt: found.expiresAt };
      const { exportId, userId } = own;
      const ciphertext = await cipher.encrypt(JSON.stringify(await readSections(userId)), contentLocation(own));
      const expiresAt = new Date(Date.now() + expiresInMs);
      await database.transact(async (sql) => {
        if ((await sql(STORE, [exportId, userId, ciphertext, expiresAt])).length === 0) return;
        const actor = { kind: 'service' } as const;
        await audit.append(sql, { action: 'data.exported', actor, subjectId: userId, details: { exportId } });
      });
      return { expiresAt };
    },

    async read(own, origin) {
      const { exportId, userId } = own;
      const [row] = await database.sql<{ content: string }>(READ, [exportId, userId, new Date()]);
      if (row === undefined) return undefined;
      const content = JSON.parse(await cipher.decrypt(row.content, contentLocation(own))) as ExportContent;
      const [actor, details] = [{ kind: 'user', id: userId } as const, { exportId }];
      await audit.append(database.sql, { action: 'data.downloaded', actor, subjectId: userId, origin, details });
      return content;
    },

    async expire(exportId) {
      await database.sql(EXPIRE, [exportId]);
    },
  };
};
