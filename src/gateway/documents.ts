import createRouter, { type HTTPMethod } from 'find-my-way';

import { mergeDocuments, type OpenApi } from './merge';
import type { Service } from './service';

/** What the services say of their APIs. */
export interface Documents {
  /** Whether the document of a service has been read. */
  readonly has: (service: string) => boolean;
  /** Whether an operation needs an access token; undefined where its service's document does not know it, or is not there yet. */
  readonly needsToken: (service: string, method: string, path: string) => boolean | undefined;
  /** One document of all; undefined until there is one of any. */
  readonly merged: () => OpenApi | undefined;
  /** Reads them all, or those only that are not there yet; never rejects. */
  readonly refresh: (onlyMissing: boolean) => Promise<void>;
}

interface Known {
  readonly name: string;
  readonly text: string;
  readonly document: OpenApi;
  readonly needsToken: (method: string, path: string) => boolean | undefined;
}

/** find-my-way wants a handler for each route; only its look-up is used here. */
const unused = (): void => undefined;
const METHODS = ['get', 'put', 'post', 'delete', 'patch'] as const;

/** An empty requirement among others makes a token optional. */
const isRequired = (security: readonly object[] = []): boolean =>
  security.length > 0 && security.every((requirement) => Object.keys(requirement).length > 0);

const indexOf = ({ paths = {}, security }: OpenApi): Known['needsToken'] => {
  const router = createRouter({ maxParamLength: 16_384 });
  for (const [path, item] of Object.entries(paths)) {
    for (const method of METHODS) {
      const operation = item[method];
      if (operation === undefined) continue;
      router.on(method.toUpperCase() as HTTPMethod, path.replaceAll(/\{[^{}/]+\}/g, ':p'), unused, {
        needsToken: isRequired(operation.security ?? security),
      });
    }
  }
  return (method, path) => {
    const found = router.find((method === 'HEAD' ? 'GET' : method) as HTTPMethod, path);
    return (found?.store as { readonly needsToken: boolean } | undefined)?.needsToken;
  };
};

/** @throws where it is no document: one service must not take those of the others along */
const toKnown = (name: string, text: string): Known => {
  const document = JSON.parse(text) as OpenApi;
  mergeDocuments([{ name, document }]);
  return { name, text, document, needsToken: indexOf(document) };
};

const isSame = <T>(one: readonly T[], other: readonly T[]): boolean =>
  one.length === other.length && one.every((item, index) => item === other[index]);

/**
 * @param services those in force, read at each use
 * @param onFailure told once, until the document has been read
 */
export const createDocuments = (
  services: () => readonly Service[],
  onFailure: (service: string, error: unknown) => void,
): Documents => {
  const known = new Map<string, Known>();
  const failing = new Set<string>();
  let merged: { readonly parts: readonly Known[]; readonly document: OpenApi | undefined } | undefined;

  const load = async ({ name, settings, get }: Service): Promise<void> => {
    if (settings.document === undefined) return;
    try {
      const { status, body } = await get(settings.document);
      if (status !== 200) throw new Error(`the document was answered with ${String(status)}`);
      if (known.get(name)?.text !== body) known.set(name, toKnown(name, body));
      failing.delete(name);
    } catch (error) {
      // The last one goes on.
      if (!failing.has(name)) onFailure(name, error);
      failing.add(name);
    }
  };

  return {
    has: (service) => known.has(service),
    needsToken: (service, method, path) => known.get(service)?.needsToken(method, path),
    merged: () => {
      const told = services().filter(({ settings }) => settings.document !== undefined);
      const parts = told.flatMap(({ name }) => known.get(name) ?? []);
      if (merged === undefined || !isSame(parts, merged.parts)) merged = { parts, document: mergeDocuments(parts) };
      return merged.document;
    },
    refresh: async (onlyMissing) => {
      await Promise.all(
        services()
          .filter(({ name }) => !onlyMissing || !known.has(name))
          .map(load),
      );
    },
  };
};
