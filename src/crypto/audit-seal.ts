import { createHmac, timingSafeEqual } from 'node:crypto';

import type { KeyRing } from '../config/fields';
import type { AuditSeal } from '../contracts/audit';

import { deriveKey } from './derive-key';

const VERSION = 'v1';
const FORMAT = /^v1:([a-z0-9-]{1,32}):([A-Za-z0-9_-]{43})$/;

/**
 * Seals audit events with HMAC-SHA-256 as `v1:<key id>:<base64url>`, under keys derived from the ring that encrypts fields.
 * Whoever has the database and not the keys can neither change an event nor make one up.
 */
export const createAuditSeal = ({ activeKeyId, keys }: KeyRing): AuditSeal => {
  const sealKeys = new Map([...keys].map(([id, key]) => [id, deriveKey(key, 'audit-seal')]));
  const activeKey = sealKeys.get(activeKeyId);
  if (activeKey === undefined) throw new Error('The key ring has no active key');
  const mac = (key: Buffer, content: string): Buffer => createHmac('sha256', key).update(content, 'utf8').digest();

  return {
    seal: (content) => `${VERSION}:${activeKeyId}:${mac(activeKey, content).toString('base64url')}`,
    isGenuine: (seal, content) => {
      const [, keyId = '', encoded = ''] = FORMAT.exec(seal) ?? [];
      const key = sealKeys.get(keyId);
      return key !== undefined && timingSafeEqual(mac(key, content), Buffer.from(encoded, 'base64url'));
    },
  };
};
