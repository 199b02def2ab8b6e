import ms from 'ms';
import { z } from 'zod';

/** What `env.example` and the loader know of a variable besides its type. */
export interface FieldMeta {
  /** Shown in `env.example`; required for every variable. */
  readonly description: string;
  /** How a value is written, its unit and bounds included. */
  readonly format: string;
  /** Also read from the file named by `NAME_FILE`, and never given a default. */
  readonly secret?: boolean;
  /** No secret, but also read from the file named by `NAME_FILE`. */
  readonly file?: boolean;
  /** May change while the process runs: a secret where it is kept, any other variable in `CONFIG_FILE`. */
  readonly reloadable?: boolean;
  /** How to write a secret, since its value cannot stand in `env.example`. */
  readonly example?: string;
}

export const configFields = z.registry<FieldMeta>();

/** Declares what `env.example` says of a variable. */
export const describe = <T extends z.ZodType>(schema: T, meta: FieldMeta): T => {
  configFields.add(schema, meta);
  return schema;
};

/** A variable that may change while the process runs: whoever uses its value reads it at every use. */
export const reloadable = <T extends z.ZodType>(schema: T): T => {
  const meta = configFields.get(schema);
  if (meta === undefined) throw new Error('Only a variable that is described can be reloadable');
  return describe(schema, { ...meta, reloadable: true });
};

/** Digits only: `Number` alone would take `1e3`, `0x10` and blanks as well. */
const wholeNumber = (min: number, max: number) => {
  const message = `must be a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d+$/, message)
    .transform(Number)
    .refine((value) => value >= min && value <= max, message);
};

/** A TCP port, 1 to 65535. */
export const port = (defaultPort: number, description: string) =>
  describe(wholeNumber(1, 65_535).prefault(String(defaultPort)), { description, format: 'port' });

/** A whole number within bounds; `description` ends with its unit. */
export const integer = (defaultValue: number, min: number, max: number, description: string) =>
  describe(wholeNumber(min, max).prefault(String(defaultValue)), {
    description,
    format: `whole number, ${min} to ${max}`,
  });

/** A number from 0 to 1. */
export const fraction = (defaultValue: number, description: string) => {
  const message = 'must be a number from 0 to 1';
  return describe(
    z
      .string()
      .regex(/^(\d|\d\.\d{1,9})$/, message)
      .transform(Number)
      .refine((value) => value <= 1, message)
      .prefault(String(defaultValue)),
    { description, format: 'number, 0 to 1' },
  );
};

const DURATION_EXAMPLES = 'such as 500ms, 30s, 15m, 24h or 7d';
/** Longer than anything here lasts; far below where milliseconds lose precision. */
const MAX_DURATION_MS = 3_650 * 24 * 60 * 60 * 1_000;

/** A duration such as `15m`, `24h` or `500ms`, of at least `minMs`; the parsed value is in milliseconds. */
export const duration = (defaultValue: string, description: string, minMs = 1) =>
  describe(
    z
      .string()
      .regex(/^\d+(ms|s|m|h|d)$/, `must be a duration ${DURATION_EXAMPLES}`)
      .transform((value) => ms(value as ms.StringValue))
      .refine(
        (value) => value >= minMs && value <= MAX_DURATION_MS,
        `must be ${minMs === 1 ? 'longer than 0' : `at least ${ms(minMs)}`} and at most 3650d`,
      )
      .prefault(defaultValue),
    { description, format: `duration ${DURATION_EXAMPLES}` },
  );

export const text = (defaultValue: string, description: string) =>
  describe(z.string().min(1).default(defaultValue), { description, format: 'text' });

export const optionalText = (description: string) =>
  describe(z.string().min(1).optional(), { description, format: 'text' });

/** `host:port`. */
export const address = (defaultValue: string, description: string) =>
  describe(
    z
      .string()
      .regex(/^(\[[0-9a-fA-F:]+\]|[^\s:/]+):\d{1,5}$/, 'must be host:port')
      .default(defaultValue),
    {
      description,
      format: 'host:port',
    },
  );

export const httpUrl = (defaultValue: string, description: string) =>
  describe(z.url({ protocol: /^https?$/, error: 'must be an http or https URL' }).default(defaultValue), {
    description,
    format: 'URL',
  });

export const optionalHttpUrl = (description: string) =>
  describe(z.url({ protocol: /^https?$/, error: 'must be an http or https URL' }).optional(), {
    description,
    format: 'URL',
  });

export const choice = <const T extends readonly [string, ...string[]]>(
  values: T,
  defaultValue: T[number],
  description: string,
) => {
  const format = `one of ${values.join(', ')}`;
  return describe(z.enum(values, { error: `must be ${format}` }).default(defaultValue as never), {
    description,
    format,
  });
};

/** One of `values`, or nothing, for which the description says what happens. */
export const optionalChoice = <const T extends readonly [string, ...string[]]>(values: T, description: string) => {
  const format = `one of ${values.join(', ')}`;
  return describe(z.enum(values, { error: `must be ${format}` }).optional(), { description, format });
};

export const flag = (defaultValue: boolean, description: string) =>
  describe(
    z
      .enum(['true', 'false'], { error: 'must be true or false' })
      .transform((value) => value === 'true')
      .prefault(defaultValue ? 'true' : 'false'),
    { description, format: 'true or false' },
  );

/** The parts between commas, blanks dropped. */
export const split = (value: string): string[] =>
  value
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');

/** Comma-separated values, blanks dropped. */
export const list = (defaultValue: string, description: string) =>
  describe(z.string().transform(split).prefault(defaultValue), { description, format: 'comma-separated' });

const isOrigin = (value: string): boolean => URL.canParse(value) && new URL(value).origin === value;

/** Some of `values`, separated by commas. */
export const subset = <const T extends readonly [string, ...string[]]>(
  values: T,
  defaultValue: string,
  description: string,
) => {
  const format = `comma-separated, of ${values.join(', ')}`;
  const isKnown = (value: string): value is T[number] => values.includes(value);
  return describe(
    z
      .string()
      .transform((value, context): T[number][] => {
        const chosen = split(value);
        if (chosen.every(isKnown)) return chosen;
        context.addIssue({ code: 'custom', message: `must be ${format}` });
        return z.NEVER;
      })
      .prefault(defaultValue),
    { description, format },
  );
};

/** Comma-separated web origins, as browsers send them in `Origin`; `*` is none. */
export const origins = (defaultValue: string, description: string) =>
  describe(
    z
      .string()
      .transform(split)
      .refine((values) => values.every(isOrigin), 'must be origins such as https://app.example, without a path')
      .prefault(defaultValue),
    { description, format: 'comma-separated origins such as https://app.example' },
  );

/** A document that people consent to. */
export interface ConsentDocument {
  readonly purpose: string;
  readonly version: string;
  /** Whether the account cannot be without it. */
  readonly isRequired: boolean;
}
const CONSENT_DOCUMENT = /^([a-z][a-z0-9_]{0,63})@([A-Za-z0-9][A-Za-z0-9._-]{0,31})(!?)$/;

/** Documents such as `terms@2026-01!`, each purpose once. */
export const consentDocuments = (defaultValue: string, description: string) => {
  const format = 'comma-separated <purpose>@<version>, with ! where it is required, such as terms@2026-01!';
  return describe(
    z
      .string()
      .transform((value, context): ConsentDocument[] => {
        const documents = split(value).flatMap((text) => {
          const [, purpose, version, mark] = CONSENT_DOCUMENT.exec(text) ?? [];
          return purpose === undefined || version === undefined ? [] : [{ purpose, version, isRequired: mark === '!' }];
        });
        const purposes = new Set(documents.map(({ purpose }) => purpose));
        if (documents.length === split(value).length && purposes.size === documents.length) return documents;
        context.addIssue({ code: 'custom', message: `must be ${format}, each purpose once` });
        return z.NEVER;
      })
      .prefault(defaultValue),
    { description, format },
  );
};

export const secretUrl = (protocols: readonly [string, ...string[]], description: string, example: string) =>
  describe(
    z
      .string()
      .refine(
        (value) => URL.canParse(value) && protocols.includes(new URL(value).protocol.slice(0, -1)),
        `must be a ${protocols.join(' or ')} URL`,
      ),
    { description, format: `${protocols[0]} URL`, secret: true, example },
  );

export const optionalSecret = (description: string) =>
  describe(z.string().min(1).optional(), { description, format: 'text', secret: true });

const KEY_BYTES = 32;
/** 32 random bytes hold some 30 distinct values; a placeholder or a repeated byte holds few. */
const MIN_DISTINCT_BYTES = 16;

const decodeKey = (encoded: string): { readonly bytes: Buffer } | { readonly problem: string } => {
  const bytes = Buffer.from(encoded, 'base64');
  if (bytes.length !== KEY_BYTES || bytes.toString('base64') !== encoded) {
    return { problem: 'must be 32 bytes in base64 (openssl rand -base64 32)' };
  }
  if (new Set(bytes).size < MIN_DISTINCT_BYTES) {
    return { problem: 'is not random: make one with openssl rand -base64 32' };
  }
  return { bytes };
};

const toKey = (encoded: string, context: z.RefinementCtx): Buffer => {
  const key = decodeKey(encoded);
  if ('bytes' in key) return key.bytes;
  context.addIssue({ code: 'custom', message: key.problem });
  return z.NEVER;
};

/** One 256-bit key, base64. */
export const secretKey = (description: string) =>
  describe(z.string().transform(toKey), {
    description,
    format: '32 bytes in base64',
    secret: true,
    example: '<openssl rand -base64 32>',
  });

/** Secrets that two processes share, comma-separated: the first is used, all of them are accepted. */
export const optionalSecretKeys = (description: string) =>
  describe(
    z
      .string()
      .transform((value, context): Buffer[] => {
        const keys = split(value).map(decodeKey);
        const index = keys.findIndex((key) => 'problem' in key);
        const wrong = keys[index];
        if (wrong === undefined || 'bytes' in wrong) return keys.flatMap((key) => ('bytes' in key ? [key.bytes] : []));
        context.addIssue({ code: 'custom', message: `entry ${index + 1} ${wrong.problem}` });
        return z.NEVER;
      })
      .refine((keys) => keys.length > 0, 'must hold at least one key')
      .optional(),
    {
      description,
      format: 'comma-separated, 32 bytes in base64 each; the first is used, all are accepted',
      secret: true,
      example: '<openssl rand -base64 32>',
    },
  );

/** Keys by id; the first one encrypts, all of them decrypt. */
export interface KeyRing {
  readonly activeKeyId: string;
  readonly keys: ReadonlyMap<string, Buffer>;
}

/** Names entries by position, never by what stands in them: in a malformed ring even an id may be a part of a key. */
const toKeyRing = (value: string, context: z.RefinementCtx): KeyRing => {
  const problem = (message: string): never => {
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  };
  const keys = new Map<string, Buffer>();
  for (const [index, entry] of value.split(',').entries()) {
    const [, id, encoded] = /^([a-z0-9][a-z0-9-]{0,31}):(.+)$/.exec(entry.trim()) ?? [];
    if (id === undefined || encoded === undefined) {
      return problem(`must be id:base64[,id:base64...] with ids of a-z, 0-9, -; entry ${index + 1} is not`);
    }
    if (keys.has(id)) return problem(`has the id of entry ${index + 1} twice`);
    const key = decodeKey(encoded);
    if ('problem' in key) return problem(`entry ${index + 1} ${key.problem}`);
    keys.set(id, key.bytes);
  }
  const [activeKeyId = ''] = keys.keys();
  return { activeKeyId, keys };
};

/** `id:base64[,id:base64...]`: the first key is the active one, the others only decrypt. */
export const optionalSecretKeyRing = (description: string) =>
  describe(z.string().transform(toKeyRing).optional(), {
    description,
    format: 'id:base64[,id:base64...] of 32 bytes each; the first encrypts, all decrypt',
    secret: true,
    example: 'k1:<openssl rand -base64 32>',
  });
