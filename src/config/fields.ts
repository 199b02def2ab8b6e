import ms from 'ms';
import { z } from 'zod';

/** What `env.example` and the loader know of a variable besides its type. */
export interface FieldMeta {
  /** Shown in `env.example`; required for every variable. */
  readonly description: string;
  /** Also read from the file named by `NAME_FILE`, and never given a default. */
  readonly secret?: boolean;
  /** May change while the process runs (through `CONFIG_FILE`). */
  readonly reloadable?: boolean;
  /** How to write a secret, since its value cannot stand in `env.example`. */
  readonly example?: string;
}

export const configFields = z.registry<FieldMeta>();

const describe = <T extends z.ZodType>(schema: T, meta: FieldMeta): T => {
  configFields.add(schema, meta);
  return schema;
};

/** A TCP port, 1 to 65535. */
export const port = (defaultPort: number, description: string) =>
  describe(z.coerce.number().int().min(1).max(65_535).default(defaultPort), { description });

/** A whole number within bounds; `unit` goes into the description. */
export const integer = (defaultValue: number, min: number, max: number, description: string) =>
  describe(z.coerce.number().int().min(min).max(max).default(defaultValue), { description });

/** A duration such as `15m`, `24h` or `500ms`; the parsed value is in milliseconds. */
export const duration = (defaultValue: string, description: string) =>
  describe(
    z
      .string()
      .regex(/^\d+(ms|s|m|h|d)$/, 'must be a duration such as 500ms, 30s, 15m, 24h or 7d')
      .default(defaultValue)
      .transform((text) => ms(text as ms.StringValue)),
    { description: `${description} (duration)` },
  );

export const text = (defaultValue: string, description: string) =>
  describe(z.string().min(1).default(defaultValue), { description });

export const optionalText = (description: string) => describe(z.string().min(1).optional(), { description });

export const choice = <const T extends readonly [string, ...string[]]>(
  values: T,
  defaultValue: T[number],
  description: string,
) =>
  describe(z.enum(values).default(defaultValue as never), {
    description: `${description} (${values.join(', ')})`,
  });

export const flag = (defaultValue: boolean, description: string) =>
  describe(
    z
      .enum(['true', 'false'])
      .default(defaultValue ? 'true' : 'false')
      .transform((value) => value === 'true'),
    { description: `${description} (true or false)` },
  );

/** Comma-separated values, blanks dropped. */
export const list = (defaultValue: string, description: string) =>
  describe(
    z
      .string()
      .default(defaultValue)
      .transform((value) =>
        value
          .split(',')
          .map((part) => part.trim())
          .filter((part) => part !== ''),
      ),
    { description: `${description} (comma-separated)` },
  );

export const secretUrl = (protocols: readonly string[], description: string, example: string) =>
  describe(
    z.url({ protocol: new RegExp(`^(${protocols.join('|')})$`), error: `must be a ${protocols.join(' or ')} URL` }),
    { description, secret: true, example },
  );

export const optionalSecret = (description: string) =>
  describe(z.string().min(1).optional(), { description, secret: true });

const KEY_BYTES = 32;
/** 32 random bytes hold some 30 distinct values; a placeholder or a repeated byte holds few. */
const MIN_DISTINCT_BYTES = 16;

const decodeKey = (encoded: string, context: z.RefinementCtx): Buffer => {
  const bytes = Buffer.from(encoded, 'base64');
  if (bytes.length !== KEY_BYTES || bytes.toString('base64') !== encoded) {
    context.addIssue({ code: 'custom', message: 'must be 32 bytes in base64 (openssl rand -base64 32)' });
    return z.NEVER;
  }
  if (new Set(bytes).size < MIN_DISTINCT_BYTES) {
    context.addIssue({ code: 'custom', message: 'is not random: make one with openssl rand -base64 32' });
    return z.NEVER;
  }
  return bytes;
};

/** One 256-bit key, base64. */
export const secretKey = (description: string) =>
  describe(z.string().transform(decodeKey), {
    description: `${description} (32 bytes, base64)`,
    secret: true,
    example: '<openssl rand -base64 32>',
  });

/** Keys by id; the first one encrypts, all of them decrypt. */
export interface KeyRing {
  readonly activeKeyId: string;
  readonly keys: ReadonlyMap<string, Buffer>;
}

/** `id:base64[,id:base64...]`: the first key is the active one, the others only decrypt. */
export const secretKeyRing = (description: string) =>
  describe(
    z.string().transform((value, context): KeyRing => {
      const keys = new Map<string, Buffer>();
      for (const entry of value.split(',')) {
        const [, id, encoded] = /^([a-z0-9][a-z0-9-]{0,31}):(.+)$/.exec(entry.trim()) ?? [];
        if (id === undefined || encoded === undefined || keys.has(id)) {
          context.addIssue({ code: 'custom', message: 'must be id:base64[,id:base64...] with distinct ids of a-z, 0-9, -' });
          return z.NEVER;
        }
        keys.set(id, decodeKey(encoded, context));
      }
      const [activeKeyId = ''] = keys.keys();
      return { activeKeyId, keys };
    }),
    {
      description: `${description} (id:base64[,id:base64...], the first encrypts, all decrypt)`,
      secret: true,
      example: 'k1:<openssl rand -base64 32>',
    },
  );
