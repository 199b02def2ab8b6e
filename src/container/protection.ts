import { LRUCache } from 'lru-cache';

import type { Config } from '../config/sections';
import type { FieldCipherError } from '../contracts/data-protection';
import { createAuditSeal } from '../crypto/audit-seal';
import { createBlindIndex } from '../crypto/blind-index';
import { createFieldCipher } from '../crypto/field-cipher';
import { createDataKeys } from '../keys/data-keys';
import { createPersonKeys } from '../keys/person-keys';
import { createRootKey } from '../keys/root-key';
import { type AuditTrail, createAuditTrail } from '../repositories/audit-trail';
import { createDataKeyRepository } from '../repositories/data-key-repository';
import { createPersonKeyRepository } from '../repositories/person-key-repository';
import type { Database } from '../repositories/prisma-client';

/** A value that stays refused is recorded once in so long. */
const RECORD_AGAIN_MS = 3_600_000;
const REMEMBERED = 1_000;

/** Records values that were refused. Not awaited: whoever was refused may be in a transaction that holds the trail. */
const createRefusalRecord = (record: (error: FieldCipherError) => Promise<void>) => {
  const recorded = new LRUCache<string, true>({ max: REMEMBERED, ttl: RECORD_AGAIN_MS });
  return (error: FieldCipherError): void => {
    const { table, column, rowId } = error.location;
    const place = JSON.stringify([table, column, rowId]);
    if (recorded.has(place)) return;
    recorded.set(place, true);
    // Where the trail cannot be written now, the next refusal is recorded.
    record(error).catch(() => recorded.delete(place));
  };
};

/** Keys, and what encrypts, indexes and seals with them. */
export const buildProtection = (
  { keys, security }: Config<'keys' | 'security'>,
  database: Pick<Database, 'sql' | 'keySql'>,
) => {
  const rootKey = createRootKey(keys.root);
  const dataKeys = createDataKeys(createDataKeyRepository(database.keySql), rootKey, keys);
  const personKeys = createPersonKeys(createPersonKeyRepository(database.keySql));
  const record = async ({ reason, location: { table, column, rowId, personId } }: FieldCipherError): Promise<void> => {
    const [actor, details] = [{ kind: 'service' } as const, { table, column, rowId, reason }];
    const event = { action: 'data.refused', outcome: 'failure', actor, subjectId: personId, details } as const;
    await audit.append(database.sql, event);
  };
  const parts = { dataKeys, personKeys, onRefused: createRefusalRecord(record) };
  /** By the purpose of their data keys. */
  const ciphers = {
    fields: createFieldCipher('fields', parts),
    'signing-keys': createFieldCipher('signing-keys', parts),
    idempotency: createFieldCipher('idempotency', parts),
    audit: createFieldCipher('audit', parts),
  };
  const auditSeal = createAuditSeal(dataKeys);
  const audit: AuditTrail = createAuditTrail(ciphers.audit, auditSeal);
  const blindIndex = createBlindIndex(security.blindIndexKey);
  return { rootKey, dataKeys, personKeys, ciphers, blindIndex, auditSeal, audit };
};
export type Protection = ReturnType<typeof buildProtection>;
