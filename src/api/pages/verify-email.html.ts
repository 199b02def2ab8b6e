/** The page behind the link in the verification mail. Its texts are in the script, which knows the reader's language. */
export const VERIFY_EMAIL_HTML = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="referrer" content="no-referrer">
    <meta name="robots" content="noindex">
    <title>Meqenet</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="/verify-email.css">
    <script src="/verify-email.js" defer></script>
  </head>
  <body>
    <main>
      <h1 id="title">Confirm your e-mail address</h1>
      <p id="intro">Press the button to confirm your e-mail address and open your Meqenet account.</p>
      <button id="confirm" type="button">Confirm</button>
      <p id="result" role="status" aria-live="polite" tabindex="-1"></p>
      <noscript><p>This page needs JavaScript. You can also enter the code of the mail in the app.</p></noscript>
    </main>
  </body>
</html>
`;

export const VERIFY_EMAIL_CSS = `:root { color-scheme: light dark; font: 1.125rem/1.6 system-ui, "Noto Sans Ethiopic", sans-serif; }
body { margin: 0; padding: 1rem; }
main { max-width: 30rem; margin: 10vh auto 0; }
h1 { font-size: 1.6rem; line-height: 1.3; }
button { font: inherit; width: 100%; min-height: 3rem; padding: 0.5rem 1.5rem; border: 0; border-radius: 0.5rem; background: #14532d; color: #fff; cursor: pointer; }
button:focus-visible { outline: 3px solid #f59e0b; outline-offset: 3px; }
button[disabled] { opacity: 0.6; cursor: progress; }
button[hidden] { display: none; }
#result:empty { display: none; }
#result:focus { outline: none; }
#result[data-kind] { padding: 0.75rem 1rem; border-left: 0.3rem solid; }
#result[data-kind="success"] { border-color: #15803d; }
#result[data-kind="failure"] { border-color: #b91c1c; }
@media (min-width: 30rem) { button { width: auto; } }
`;
