/** The page behind the link in the mail that resets a password. Its texts are in the script, which knows the reader's language. */
export const RESET_PASSWORD_HTML = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="referrer" content="no-referrer">
    <meta name="robots" content="noindex">
    <title>Meqenet</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="/reset-password.css">
    <script src="/reset-password.js" defer></script>
  </head>
  <body>
    <main>
      <h1 id="title">Choose a new password</h1>
      <form id="form" method="post" hidden>
        <label id="label" for="password">New password</label>
        <input id="password" name="password" type="password" autocomplete="new-password" required aria-describedby="hint">
        <p id="hint">At least 8 characters. A few words that belong to nobody but you are better than one with signs.</p>
        <button id="send" type="submit">Set the password</button>
      </form>
      <p id="result" role="status" aria-live="polite" tabindex="-1"></p>
      <noscript><p>This page needs JavaScript.</p></noscript>
    </main>
  </body>
</html>
`;

export const RESET_PASSWORD_CSS = `:root { color-scheme: light dark; font: 1.125rem/1.6 system-ui, "Noto Sans Ethiopic", sans-serif; }
body { margin: 0; padding: 1rem; }
main { max-width: 30rem; margin: 10vh auto 0; }
h1 { font-size: 1.6rem; line-height: 1.3; }
label { display: block; font-weight: 600; }
input { font: inherit; box-sizing: border-box; width: 100%; min-height: 3rem; padding: 0.5rem 0.75rem; border: 1px solid; border-radius: 0.5rem; }
button { font: inherit; width: 100%; min-height: 3rem; padding: 0.5rem 1.5rem; border: 0; border-radius: 0.5rem; background: #14532d; color: #fff; cursor: pointer; }
button:focus-visible, input:focus-visible { outline: 3px solid #f59e0b; outline-offset: 3px; }
button[disabled] { opacity: 0.6; cursor: progress; }
form[hidden] { display: none; }
#result:empty { display: none; }
#result:focus { outline: none; }
#result[data-kind] { padding: 0.75rem 1rem; border-left: 0.3rem solid; }
#result[data-kind="success"] { border-color: #15803d; }
#result[data-kind="failure"] { border-color: #b91c1c; }
`;
