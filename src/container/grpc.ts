import { acceptedLocale } from '../api/accepted-locale';
import { createOperations, type OperationDependencies } from '../api/operation';
import { toProblem } from '../api/problem';
import { createRequestIds } from '../api/request-ids';
import type { Route } from '../api/route';
import type { Caller } from '../contracts/caller';
import { DEFAULT_LOCALE } from '../contracts/locale';
import type { Revocations } from '../events/revocations';
import { createAuthService, OPERATIONS, type Operations } from '../grpc/auth-service';
import { createAuthenticateService } from '../grpc/callers';
import { createDoor } from '../grpc/door';
import { createGrpcMetrics } from '../observability/grpc-metrics';

import { type ProcessContext, translateError } from './process';

interface Parts {
  readonly routes: readonly Route[];
  readonly operations: OperationDependencies;
  readonly authenticate: (accessToken: string) => Promise<Caller>;
  readonly revocations: Revocations;
}

/** The calls of gRPC, over the very operations that the HTTP API serves. */
export const buildGrpc = ({ config, logger, metrics }: ProcessContext<'grpc'>, parts: Parts) => {
  const operationOf = createOperations(parts.operations);
  const find = (operationId: string): Route => {
    const route = parts.routes.find((each) => each.operationId === operationId);
    if (route === undefined) throw new Error(`There is no operation ${operationId}`);
    return route;
  };
  const operations = Object.fromEntries(OPERATIONS.map((name) => [name, operationOf(find(name))])) as Operations;
  const door = createDoor({
    authenticateService: createAuthenticateService(config.grpc),
    translateError,
    localize: (error, acceptLanguage) => {
      const locale = acceptedLocale(acceptLanguage) ?? DEFAULT_LOCALE;
      const { detail, errors } = toProblem(error, { instance: '', requestId: '', locale });
      return { locale, detail, errors: errors as typeof error.errors };
    },
    requestIdOf: createRequestIds(),
    metrics: createGrpcMetrics(metrics.registry),
    logger,
  });
  return {
    service: createAuthService({ ...parts, operations, door }),
    endStreams: () => {
      door.endStreams();
    },
    running: () => door.running(),
  };
};
