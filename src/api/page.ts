import { createHash } from 'node:crypto';

import type { AppContext } from './context';
import type { Endpoint } from './guard';
import { PAGE_CSP } from './middleware/security-headers';

/** Something to GET that is not part of the JSON contract: a page, a script, the metrics. */
export interface Page {
  readonly path: `/${string}`;
  readonly respond: Endpoint;
}

export interface Content {
  readonly contentType: string;
  readonly content: string | Buffer;
}

/** Seconds that browsers may use a file without asking; after that its ETag saves sending it again. */
const MAX_AGE = 3_600;

const sendFile = (ctx: AppContext, { contentType, content }: Content, etag: string): void => {
  ctx.set({
    'Content-Type': contentType,
    'Content-Security-Policy': PAGE_CSP,
    'Cache-Control': `public, max-age=${String(MAX_AGE)}`,
  });
  ctx.status = 200;
  ctx.etag = etag;
  if (ctx.fresh) ctx.status = 304;
  else ctx.body = content;
};

/** A file that never changes while the process runs; `load` is called when it is first asked for. */
export const filePage = (path: `/${string}`, load: () => Content | Promise<Content>): Page => {
  let loaded: Promise<{ file: Content; etag: string }> | undefined;
  const loadOnce = async () => {
    const file = await load();
    return { file, etag: createHash('sha256').update(file.content).digest('base64url').slice(0, 22) };
  };
  return {
    path,
    respond: async (ctx) => {
      loaded ??= loadOnce();
      const { file, etag } = await loaded.catch((error: unknown) => {
        loaded = undefined; // The next request tries again.
        throw error;
      });
      sendFile(ctx, file, etag);
    },
  };
};
