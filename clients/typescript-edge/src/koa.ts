import { type Acr, type AcrOptions, assertAcr, assertRole, type Auth } from './auth';
import type { Edge } from './edge';
import { EdgeError, toProblemAnswer } from './problem';

/** What is needed of Koa's context, so that any version with types of its own fits. */
export interface KoaContext {
  readonly path: string;
  readonly get: (name: string) => string;
  readonly response: { readonly get: (name: string) => string };
  readonly set: (headers: Record<string, string>) => void;
  status: number;
  body: unknown;
  // Koa's state is `any` unless the application says otherwise.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  state: any;
}
export type KoaMiddleware = (ctx: KoaContext, next: () => Promise<unknown>) => Promise<void>;

const refuse = (ctx: KoaContext, error: unknown): void => {
  if (!(error instanceof EdgeError)) throw error;
  const known = ctx.response.get('X-Request-Id') || ctx.get('X-Request-Id') || undefined;
  const { status, headers, body } = toProblemAnswer(error, ctx.path, known);
  ctx.status = status;
  ctx.body = JSON.stringify(body);
  // After the body, for which Koa would choose a type.
  ctx.set({ ...headers });
};

/** Who makes the request. @throws where `authenticate` did not run before */
export const authOf = (ctx: Pick<KoaContext, 'state'>): Auth => {
  const { auth } = ctx.state as { auth?: Auth };
  if (auth) return auth;
  throw new Error('Mount authenticate() of @meqenet/auth-edge/koa before this route');
};

/** Puts the caller on `ctx.state.auth`, or answers with a problem (RFC 9457). */
export const authenticate =
  (edge: Edge): KoaMiddleware =>
  async (ctx, next) => {
    try {
      (ctx.state as { auth?: Auth }).auth = await edge.authenticate(ctx.get('Authorization'));
    } catch (error) {
      refuse(ctx, error);
      return;
    }
    await next();
  };

const guard =
  (check: (auth: Auth) => void): KoaMiddleware =>
  async (ctx, next) => {
    const auth = authOf(ctx);
    try {
      check(auth);
    } catch (error) {
      refuse(ctx, error);
      return;
    }
    await next();
  };

/** Goes on for callers with one of these roles; 403 `forbidden` for others. */
export const requireRole = (...roles: readonly string[]): KoaMiddleware => guard((auth) => assertRole(auth, roles));

/** Goes on for callers who have shown at least this (lately, where `maxAgeMs` is given); 403 `step_up_required` for others. */
export const requireAcr = (acr: Acr, options?: AcrOptions): KoaMiddleware =>
  guard((auth) => assertAcr(auth, acr, options));
