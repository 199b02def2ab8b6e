import type { TestService } from './service';

/** What a service shows to call the gRPC server of the stack. */
export const serviceToken = ({ stack }: Pick<TestService, 'stack'>): string => {
  const [first = ''] = (stack.env['GRPC_SERVICE_TOKENS'] ?? '').split(',');
  const shown = first.slice(first.indexOf(':') + 1);
  if (shown.length > 0) return shown;
  throw new Error('The stack gives no service token');
};
