import { Prisma } from '../generated/prisma/client';

import { DatabaseUnavailableError, UNAVAILABLE_STATES } from './sql';

/** Prisma: login refused, not reachable, timed out, closed, no connection or transaction free in time. */
const PRISMA_CODES = new Set(['P1000', 'P1001', 'P1002', 'P1008', 'P1011', 'P1017', 'P2024', 'P2028']);
/** The driver adapter, inside raw queries. */
const ADAPTER_KINDS = new Set([
  'DatabaseNotReachable',
  'ConnectionClosed',
  'SocketTimeout',
  'TooManyConnections',
  'AuthenticationFailed',
]);

interface AdapterCause {
  readonly kind?: string;
  readonly originalCode?: string;
}

const adapterCauseOf = (error: Prisma.PrismaClientKnownRequestError): AdapterCause | undefined =>
  (error.meta?.driverAdapterError as { cause?: AdapterCause } | undefined)?.cause;

/** Whether the database could not be asked at all, in contrast to having refused what was asked. */
export const isDatabaseUnavailable = (error: unknown): boolean => {
  if (error instanceof DatabaseUnavailableError) return true;
  if (error instanceof Prisma.PrismaClientInitializationError) return true;
  if (!(error instanceof Prisma.PrismaClientKnownRequestError)) return false;
  const { kind = '', originalCode = '' } = adapterCauseOf(error) ?? {};
  return PRISMA_CODES.has(error.code) || ADAPTER_KINDS.has(kind) || UNAVAILABLE_STATES.test(originalCode);
};
