import { filePage, type Page } from '../page';

interface PageParts {
  readonly path: `/${string}`;
  /** What stands in `main`. Its texts are in the script, which knows the reader's language. */
  readonly content: string;
  /** What the page has besides the common style. */
  readonly css: string;
  readonly script: string;
}

const html = (path: string, content: string): string => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="referrer" content="no-referrer">
    <meta name="robots" content="noindex">
    <title>Meqenet</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="${path}.css">
    <script src="${path}.js" defer></script>
  </head>
  <body>
    <main>
${content}
    </main>
  </body>
</html>
`;

const CSS = `:root { color-scheme: light dark; font: 1.125rem/1.6 system-ui, "Noto Sans Ethiopic", sans-serif; }
body { margin: 0; padding: 1rem; }
main { max-width: 30rem; margin: 10vh auto 0; }
h1 { font-size: 1.6rem; line-height: 1.3; }
button { font: inherit; width: 100%; min-height: 3rem; padding: 0.5rem 1.5rem; border: 0; border-radius: 0.5rem; background: #14532d; color: #fff; cursor: pointer; }
button:focus-visible, input:focus-visible { outline: 3px solid #f59e0b; outline-offset: 3px; }
button[disabled] { opacity: 0.6; cursor: progress; }
button[hidden], form[hidden] { display: none; }
#result:empty { display: none; }
#result:focus { outline: none; }
#result[data-kind] { padding: 0.75rem 1rem; border-left: 0.3rem solid; }
#result[data-kind="success"] { border-color: #15803d; }
#result[data-kind="failure"] { border-color: #b91c1c; }
`;

/**
 * A page behind a link of a mail, with its style and its script at the same path. Texts in modules, not files: the compiler
 * copies no assets, and so they are there however the service is built and started.
 */
export const framedPages = ({ path, content, css, script }: PageParts): readonly Page[] => [
  filePage(path, () => ({ contentType: 'text/html; charset=utf-8', content: html(path, content) })),
  filePage(`${path}.css`, () => ({ contentType: 'text/css; charset=utf-8', content: CSS + css })),
  filePage(`${path}.js`, () => ({ contentType: 'text/javascript; charset=utf-8', content: script })),
];
