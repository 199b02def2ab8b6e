import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import fc from 'fast-check';

import { AuthServiceService } from '../../src/generated/proto/auth/v1/auth';

import type { UnaryMethod } from './grpc-client';

type RequestOf<M extends UnaryMethod> = Parameters<(typeof AuthServiceService)[M]['requestSerialize']>[0];

/** A message of a method, as bytes that need not make sense. */
export interface FuzzCase {
  readonly method: UnaryMethod;
  readonly bytes: Buffer;
  readonly metadata: Readonly<Record<string, string | Buffer>>;
}

/** Values that a service may know, beside whatever text there is. */
export interface KnownValues {
  readonly email: string;
  readonly password: string;
  readonly accessToken: string;
  readonly registrationId: string;
}

const text = fc.oneof(
  { weight: 4, arbitrary: fc.string({ maxLength: 60 }) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 60 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '',
      ' ',
      '\0',
      '\u202e',
      '٠١٢٣٤٥',
      '𝟘𝟙𝟚𝟛𝟜𝟝',
      '-1',
      'null',
      '../..',
      "' OR 1=1 --",
      '%00',
    ),
  },
  { weight: 1, arbitrary: fc.integer({ min: 200, max: 20_000 }).map((length) => 'x'.repeat(length)) },
);
const either = (...values: readonly string[]): fc.Arbitrary<string> =>
  fc.oneof({ weight: 2, arbitrary: fc.constantFrom(...values) }, { weight: 1, arbitrary: text });
const maybe = (arbitrary: fc.Arbitrary<string>) => fc.option(arbitrary, { nil: undefined });
const opaque = fc
  .base64String({ minLength: 44, maxLength: 44 })
  .map((value) => value.replace(/[+/=]/g, '-').slice(0, 43));

/** Messages of every method: some as people send them, most not. */
const requests = (known: KnownValues): { readonly [M in UnaryMethod]: fc.Arbitrary<RequestOf<M>> } => {
  const token = fc.record({ accessToken: either(known.accessToken, `${known.accessToken}x`, 'a.b.c') });
  return {
    registerUser: fc.record({
      email: either(known.email, 'somebody@example.et', 'ሰላም@example.et'),
      password: either(known.password, 'a secret that is long enough'),
      phone: maybe(either('0911234567', '+251911234567')),
      faydaId: maybe(either('614079823471')),
      firstName: maybe(either('Abebe')),
      lastName: maybe(text),
      locale: maybe(either('en', 'am')),
      consents: fc.array(fc.record({ purpose: either('marketing'), version: either('2026-01') }), { maxLength: 25 }),
    }),
    verifyRegistration: fc.record({
      registrationId: either(known.registrationId, '019ac0de-5b1c-7f2e-9c39-3f9a4d1f0a11'),
      code: either('123456', '000000'),
    }),
    authenticateUser: fc.record({
      identifier: fc.option(
        fc.oneof(
          either(known.email).map((value) => ({ $case: 'email' as const, value })),
          either('0911234567').map((value) => ({ $case: 'phone' as const, value })),
        ),
        { nil: undefined },
      ),
      password: either(known.password),
    }),
    completeMfa: fc.record({
      mfaToken: fc.oneof(opaque, text),
      factor: either('totp', 'recovery_code', 'email_otp'),
      code: either('123456', 'abcd-efgh-ijkl-mnop'),
      rememberDevice: fc.boolean(),
    }),
    validateToken: token,
    refreshToken: fc.record({ refreshToken: fc.oneof(opaque, text) }),
    logoutUser: fc.record({ accessToken: either('a.b.c', `${known.accessToken}x`) }),
    getUser: token,
  };
};

const { Varint, Bit64, LengthDelimited, StartGroup, EndGroup, Bit32 } = WireType;
/** The most fields of any request, and some beyond. */
const ownNumber = fc.integer({ min: 1, max: 12 });
const anyNumber = fc.integer({ min: 1, max: 536_870_911 });
/** Text as people write it, text that breaks parsers, bytes that are no text, and much of it. */
const content = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }).map((value) => Buffer.from(value, 'utf8')),
  fc
    .constantFrom('a@example.et', '+251911223344', 'totp', '123456', '019a0000-0000-7000-8000-000000000000')
    .map((value) => Buffer.from(value)),
  fc.constant(Buffer.alloc(43, 'a')),
  fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
  fc.constantFrom('ff', 'c0af', 'eda080', 'e188', '00', 'f8888080', '0d0a').map((hex) => Buffer.from(hex, 'hex')),
  fc.integer({ min: 1_000, max: 60_000 }).map((length) => Buffer.alloc(length, 'x')),
  fc.constant(Buffer.alloc(0)),
);

/** One field: mostly bytes, as nearly all fields of the contract are; else of a type that it is not. */
const field = fc.oneof(
  { weight: 6, arbitrary: fc.record({ number: ownNumber, wire: fc.constant(LengthDelimited), content }) },
  {
    weight: 1,
    arbitrary: fc.record({
      number: fc.oneof(ownNumber, anyNumber),
      wire: fc.constantFrom(Varint, Bit64, LengthDelimited, StartGroup, EndGroup, Bit32),
      content,
    }),
  },
);
/** Fields that no message has, of the wire types that may be skipped. */
const unknownField = fc.record({
  number: fc.integer({ min: 15, max: 536_870_911 }),
  wire: fc.constantFrom(Varint, Bit64, LengthDelimited, Bit32),
  content,
});

const encodeFields = (fields: readonly { number: number; wire: WireType; content: Buffer }[]): Uint8Array => {
  const writer = new BinaryWriter();
  for (const { number, wire, content: bytes } of fields) {
    writer.tag(number, wire);
    if (wire === Varint) writer.uint64(BigInt(bytes.length) << 40n);
    else if (wire === Bit64) writer.fixed64(BigInt(bytes.length));
    else if (wire === Bit32) writer.fixed32(bytes.length);
    else if (wire === LengthDelimited) writer.bytes(bytes);
  }
  return writer.finish();
};

/** Does to bytes what a broken or hostile client does. */
const spoilt = (whole: Uint8Array): fc.Arbitrary<Uint8Array> =>
  fc.oneof(
    { weight: 6, arbitrary: fc.constant(whole) },
    {
      weight: 2,
      arbitrary: fc.array(unknownField, { maxLength: 4 }).map((fields) => Buffer.concat([whole, encodeFields(fields)])),
    },
    { weight: 1, arbitrary: fc.nat(whole.length).map((length) => whole.slice(0, length)) },
    {
      weight: 2,
      arbitrary: fc.tuple(fc.nat(Math.max(0, whole.length - 1)), fc.integer({ min: 0, max: 255 })).map(([at, byte]) => {
        const changed = Uint8Array.from(whole);
        if (changed.length > 0) changed[at] = byte;
        return changed;
      }),
    },
    // A field 1 that is no UTF-8, in front and so overwritten, or behind and so in force.
    { weight: 1, arbitrary: fc.constant(Buffer.concat([whole, Buffer.from([0x0a, 2, 0xc3, 0x28])])) },
    // Groups within groups, which nobody has sent for fifteen years.
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 500 }).map((depth) => Buffer.alloc(depth, 0x7b)) },
  );

/** Bytes that no method has made. */
const strange = fc.oneof(
  { weight: 100, arbitrary: fc.array(field, { maxLength: 10 }).map(encodeFields).chain(spoilt) },
  { weight: 20, arbitrary: fc.uint8Array({ maxLength: 500 }) },
  // Beyond what a message may be.
  { weight: 1, arbitrary: fc.constant(Buffer.alloc(70_000, 0x0a)) },
);

const metadata = fc
  .dictionary(
    fc.constantFrom(
      ...['x-client-address', 'x-client-user-agent', 'x-device-id', 'x-device-token', 'x-request-id', 'traceparent'],
      ...['idempotency-key', 'accept-language', 'x-anything', 'cookie', 'x-forwarded-for'],
      ...['grpc-trace-bin', 'x-anything-bin'],
    ),
    fc.tuple(
      fc.oneof(
        fc.stringMatching(/^[ -~]{0,300}$/),
        fc.constantFrom('196.188.1.1', '::1', 'am', 'en;q=0.1', 'device-12345678', '256.1.1.1'),
      ),
      fc.uint8Array({ maxLength: 100 }),
    ),
    { maxKeys: 5 },
  )
  .map((entries) =>
    Object.fromEntries(
      Object.entries(entries).map(([key, [value, bytes]]) => [key, key.endsWith('-bin') ? Buffer.from(bytes) : value]),
    ),
  );

/** Calls of every method, of every degree of nonsense. */
export const fuzzCases = (known: KnownValues): fc.Arbitrary<FuzzCase> => {
  const messages = requests(known);
  const methods = Object.keys(messages) as UnaryMethod[];
  return fc.constantFrom(...methods).chain((method) => {
    const encode = AuthServiceService[method].requestSerialize as (request: unknown) => Buffer;
    const sensible = (messages[method] as fc.Arbitrary<unknown>).chain((request) => spoilt(encode(request)));
    const bytes = fc.oneof(sensible, strange).map((value) => Buffer.from(value));
    return fc.record({ method: fc.constant(method), bytes, metadata });
  });
};

/** Calls that make sense, one of each method that can be called without more. */
export const sensibleCases = ({ accessToken }: KnownValues): FuzzCase[] => {
  const { registerUser, validateToken, getUser } = AuthServiceService;
  const person = { email: 'somebody@example.et', password: 'a secret that is long enough' };
  const nothing = {
    phone: undefined,
    faydaId: undefined,
    firstName: undefined,
    lastName: undefined,
    locale: undefined,
  };
  return [
    {
      method: 'registerUser',
      bytes: registerUser.requestSerialize({ ...person, ...nothing, consents: [] }),
      metadata: {},
    },
    { method: 'validateToken', bytes: validateToken.requestSerialize({ accessToken }), metadata: {} },
    { method: 'getUser', bytes: getUser.requestSerialize({ accessToken }), metadata: {} },
  ];
};
