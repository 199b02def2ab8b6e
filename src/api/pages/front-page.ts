import { filePage, type Page } from '../page';

import { FRONT_PAGE_SCRIPT } from './front-page.script';

/** The first requests; the script puts the origin in. The code of the mail is read from the mail catcher. */
const REQUESTS: readonly (readonly [title: string, command: string])[] = [
  [
    'Register',
    `curl -s ORIGIN/v1/auth/register -H 'content-type: application/json' \\
  -d '{"email":"abebe@example.et","password":"correct horse battery staple"}'`,
  ],
  [
    'Verify with the code of the mail',
    `curl -s ORIGIN/v1/auth/register/$REGISTRATION_ID/verify -H 'content-type: application/json' \\
  -d '{"code":"'$CODE'"}'`,
  ],
  [
    'Log in',
    `curl -s ORIGIN/v1/auth/login -H 'content-type: application/json' \\
  -d '{"email":"abebe@example.et","password":"correct horse battery staple"}'`,
  ],
  ['Who am I', `curl -s ORIGIN/v1/users/me -H "authorization: Bearer $TOKEN"`],
  ['Watch what happens', `curl -sN ORIGIN/v1/users/me/events -H "authorization: Bearer $TOKEN"`],
];

const escape = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

const requests = REQUESTS.map(
  ([title, command]) => `        <section>
          <h3>${escape(title)}</h3>
          <pre>${escape(command)}</pre>
        </section>`,
).join('\n');

const HTML = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="robots" content="noindex">
    <title>Meqenet Auth</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="/front-page.css">
    <script src="/front-page.js" defer></script>
  </head>
  <body>
    <header>
      <h1>Meqenet Auth</h1>
      <p>The identity service on this machine. This page is there in development only.</p>
      <nav><a href="/api/docs">API documents</a> <a href="/api/docs/openapi.json">OpenAPI</a></nav>
    </header>
    <main>
      <section aria-labelledby="parts-title">
        <h2 id="parts-title">Parts</h2>
        <ul id="parts" aria-live="polite"></ul>
      </section>
      <section aria-labelledby="requests-title">
        <h2 id="requests-title">First requests</h2>
${requests}
      </section>
    </main>
  </body>
</html>
`;

const CSS = `:root { color-scheme: light dark; font: 1rem/1.5 system-ui, "Noto Sans Ethiopic", sans-serif; }
body { margin: 0 auto; padding: 1.5rem; max-width: 72rem; }
h1 { margin: 0; } header p { margin: 0.25rem 0 0.5rem; } nav a { margin-right: 1rem; }
main { display: grid; gap: 2rem; grid-template-columns: minmax(0, 1fr); }
@media (min-width: 60rem) { main { grid-template-columns: 22rem minmax(0, 1fr); } }
#parts { list-style: none; margin: 0; padding: 0; }
#parts li { display: flex; justify-content: space-between; gap: 1rem; padding: 0.4rem 0.75rem; border-left: 0.3rem solid; margin-bottom: 0.25rem; }
#parts [data-state="up"] { border-color: #15803d; } #parts [data-state="degraded"] { border-color: #b45309; } #parts [data-state="down"] { border-color: #b91c1c; }
h3 { font-size: 1rem; margin: 1rem 0 0.25rem; }
section section { position: relative; }
pre { margin: 0; padding: 0.75rem; overflow-x: auto; border: 1px solid #8884; border-radius: 0.4rem; font-size: 0.875rem; }
button { position: absolute; right: 0.4rem; top: 0; font: inherit; font-size: 0.8rem; padding: 0.15rem 0.6rem; cursor: pointer; }
a:focus-visible, button:focus-visible { outline: 3px solid #f59e0b; outline-offset: 2px; }
`;

/** The first page of a developer: how the parts do, where they are, and what to try. */
export const frontPages = (partStates: () => Promise<unknown>): readonly Page[] => [
  filePage('/', () => ({ contentType: 'text/html; charset=utf-8', content: HTML })),
  filePage('/front-page.css', () => ({ contentType: 'text/css; charset=utf-8', content: CSS })),
  filePage('/front-page.js', () => ({ contentType: 'text/javascript; charset=utf-8', content: FRONT_PAGE_SCRIPT })),
  {
    path: '/front-page/parts',
    respond: async (ctx) => {
      ctx.body = JSON.stringify(await partStates());
      ctx.type = 'application/json';
    },
  },
];
