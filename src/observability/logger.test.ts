import { describe, expect, test } from '@jest/globals';

import { createLogCapture } from '../../test/support/serve-app';

const SECRETS = ['hunter2', 'abebe@example.et', '+251911234567', '614079823471', 'eyJhbGciOiJFUzI1NiJ9.e30.c2ln'];
const expectClean = (lines: unknown) => {
  const text = JSON.stringify(lines);
  for (const secret of SECRETS) expect(text).not.toContain(secret);
};

describe('logger', () => {
  test('lines are JSON with an ISO time, a level by name and the service', () => {
    const { logger, lines } = createLogCapture();
    logger.info({ count: 1 }, 'hello');
    expect(lines[0]).toMatchObject({ level: 'info', service: 'test', count: 1, msg: 'hello' });
    expect(lines[0]!['time']).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
  });
  test('sensitive fields are redacted at any depth, in children as well', () => {
    const { logger, lines } = createLogCapture();
    const person = { Email: 'abebe@example.et', phone: '+251911234567', fayda_id: '614079823471' };
    logger.info({ password: 'hunter2', a: { b: [{ c: { d: { accessToken: SECRETS[4], person } } }] } }, 'x');
    logger.child({ req: { headers: { Authorization: `Bearer ${SECRETS[4]}`, cookie: 'hunter2' } } }).info('y');
    expectClean(lines);
    expect(lines[0]).toMatchObject({ password: '[redacted]', a: { b: [{ c: { d: { accessToken: '[redacted]' } } }] } });
  });
  test('the logged object is not changed, and cycles end', () => {
    const { logger, lines } = createLogCapture();
    const value: Record<string, unknown> = { password: 'hunter2' };
    value['self'] = value;
    logger.info(value, 'x');
    expect(value['password']).toBe('hunter2');
    expectClean(lines);
  });
  test.each([
    ['address', new Error('no such user abebe@example.et, +251911234567')],
    [
      'row of PostgreSQL',
      Object.assign(new Error('Key (phone)=(+251911234567) exists'), { code: '23505', detail: 'hunter2' }),
    ],
    ['quoted value', new Error('invalid input syntax for type uuid: "Hunter2 hunter2"')],
    ['token', new Error(`bad ${SECRETS[4]!}`)],
    ['parameters', Object.assign(new Error('x'), { parameters: ['hunter2'], request: { body: 'hunter2' } })],
    ['cause', new Error('outer', { cause: new Error('abebe@example.et') })],
    ['aggregate', new AggregateError([new Error('abebe@example.et')], 'all failed')],
  ])('errors are logged without values: %s', (_name, error) => {
    const { logger, lines } = createLogCapture();
    logger.error(error);
    logger.error({ err: error });
    logger.error({ err: error }, 'failed');
    logger.error({ nested: { error } }, 'failed');
    expectClean(lines);
    expect(lines[0]).toMatchObject({ err: { type: error.name, stack: expect.anything() }, msg: 'error' });
  });
  test('what JSON.parse quotes stays out', () => {
    const { logger, lines } = createLogCapture();
    try {
      JSON.parse('{"password":"hunter2"');
    } catch (error) {
      logger.error({ err: error }, 'failed');
    }
    expectClean(lines);
  });
  test('of Prisma’s messages only the last line is kept', () => {
    const { logger, lines } = createLogCapture();
    const error = new Error('Invalid invocation: {\n  data: { password: hunter2 }\n}\n\nArgument `x` is missing.');
    error.name = 'PrismaClientValidationError';
    logger.error({ err: error }, 'failed');
    expectClean(lines);
    expect(lines[0]).toMatchObject({ err: { message: 'Argument `x` is missing.' } });
  });
});
