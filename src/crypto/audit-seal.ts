import { createHmac, timingSafeEqual } from 'node:crypto';

import type { AuditSeal } from '../contracts/audit';
import type { DataKeys } from '../contracts/keys';

import { deriveKey } from './derive-key';

const VERSION = 'v2';
const FORMAT = /^v2:([a-z0-9-]{1,32}):([A-Za-z0-9_-]{43})$/;

/**
 * Seals audit events with HMAC-SHA-256 as `v2:<data key id>:<base64url>`, under keys derived from the data keys of audit.
 * Whoever has the database and not the root key can neither change an event nor make one up.
 */
export const createAuditSeal = (dataKeys: DataKeys): AuditSeal => {
  /** By data key: each is derived once, not for every event. */
  const sealKeys = new WeakMap<Buffer, Buffer>();
  const sealKeyOf = (dataKey: Buffer): Buffer => {
    const sealKey = sealKeys.get(dataKey) ?? deriveKey(dataKey, 'audit-seal');
    sealKeys.set(dataKey, sealKey);
    return sealKey;
  };
  const mac = (dataKey: Buffer, content: string): Buffer =>
    createHmac('sha256', sealKeyOf(dataKey)).update(content, 'utf8').digest();

  return {
    async seal(content) {
      const { id, key } = await dataKeys.active('audit');
      return `${VERSION}:${id}:${mac(key, content).toString('base64url')}`;
    },
    async isGenuine(seal, content) {
      const [, keyId = '', encoded = ''] = FORMAT.exec(seal) ?? [];
      const key = await dataKeys.find('audit', keyId);
      return key !== undefined && timingSafeEqual(mac(key, content), Buffer.from(encoded, 'base64url'));
    },
  };
};
