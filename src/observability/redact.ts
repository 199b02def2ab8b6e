import { isNativeError } from 'node:util/types';

import { toLoggedError } from './error-log';

/** Names of fields that hold secrets or personal data, in lower case without `_` and `-`. */
const SENSITIVE = new Set([
  ...['password', 'newpassword', 'currentpassword', 'passwordhash', 'secret', 'totpsecret', 'otpauthuri', 'qrcode'],
  ...[
    'code',
    'otp',
    'recoverycode',
    'recoverycodes',
    'token',
    'accesstoken',
    'refreshtoken',
    'mfatoken',
    'idtoken',
    'devicetoken',
  ],
  ...['authorization', 'cookie', 'setcookie', 'apikey', 'privatekey', 'body'],
  ...['email', 'to', 'phone', 'faydaid', 'fin', 'fcn', 'fan', 'firstname', 'lastname'],
]);
const MAX_DEPTH = 8;
export const REDACTED = '[redacted]';

type Redact = (value: Readonly<Record<string, unknown>>) => Record<string, unknown>;

/**
 * Makes the function that every logged object passes: sensitive fields are replaced at any depth (pino's own `redact`
 * takes paths of known depth), errors are reduced to what is safe. The object itself is not changed.
 */
export const createRedact = (): Redact => {
  // Field names come from the code and are few; spelling each out once is faster than every time.
  const known = new Map<string, boolean>();
  const isSensitive = (name: string): boolean => {
    let answer = known.get(name);
    if (answer === undefined) {
      answer = SENSITIVE.has(name.toLowerCase().replaceAll(/[_-]/g, ''));
      if (known.size < 1_000) known.set(name, answer);
    }
    return answer;
  };

  const clean = (value: unknown, depth: number): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    if (isNativeError(value) || value instanceof Error) return toLoggedError(value);
    if (depth > MAX_DEPTH) return '[too deep]';
    if (Array.isArray(value)) return value.map((item) => clean(item, depth + 1));
    if (value instanceof Date) return value;
    if (ArrayBuffer.isView(value)) return '[bytes]';
    return redactFields(value as Record<string, unknown>, depth);
  };

  const redactFields = (fields: Readonly<Record<string, unknown>>, depth: number): Record<string, unknown> => {
    const result: Record<string, unknown> = {};
    for (const name of Object.keys(fields)) {
      const value = fields[name];
      result[name] = isSensitive(name) && value != null ? REDACTED : clean(value, depth + 1);
    }
    return result;
  };

  return (fields) => redactFields(fields, 0);
};
