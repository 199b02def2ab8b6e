import { createHttpClient } from './http-client';
import type { TestService } from './service';

/** The same service, its API called through the gateway. */
export const throughGateway = (service: TestService): TestService => ({
  ...service,
  apiUrl: service.gatewayUrl,
  http: createHttpClient(service.gatewayUrl),
});
