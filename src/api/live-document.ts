import { AppError } from '../contracts/errors';
import type { Page } from './page';

/**
 * An OpenAPI document that may change while the process runs, so that nobody may keep it without asking.
 *
 * @param load the document of now, the same object for as long as it says the same; undefined while there is none, which is
 * answered with 503
 */
export const liveDocument = (load: () => object | undefined): readonly Page[] => {
  const texts = new WeakMap<object, string>();
  const textOf = (document: object): string => {
    const text = texts.get(document) ?? JSON.stringify(document);
    texts.set(document, text);
    return text;
  };
  return [
    {
      path: '/api/docs/openapi.json',
      respond: (ctx) => {
        const document = load();
        if (document === undefined) throw new AppError('service_unavailable', { retryAfterSeconds: 1 });
        ctx.body = textOf(document);
        ctx.set('Content-Type', 'application/json');
      },
    },
  ];
};
