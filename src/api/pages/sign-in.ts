import type { Page } from '../page';
import { framedPages } from './frame';
import { SIGN_IN_SCRIPT } from './sign-in.script';

const CONTENT = `      <h1 id="title">Sign in to read workflows</h1>
      <form id="form" method="post" hidden>
        <div id="first">
          <label id="account-label" for="account">E-mail address or phone</label>
          <input id="account" name="username" autocomplete="username" autocapitalize="none" spellcheck="false">
          <label id="password-label" for="password">Password</label>
          <input id="password" name="password" type="password" autocomplete="current-password">
        </div>
        <div id="second" hidden>
          <label id="factor-label" for="factor">Second factor</label>
          <select id="factor" name="factor"></select>
          <label id="code-label" for="code">Code</label>
          <input id="code" name="code" autocomplete="one-time-code" spellcheck="false">
        </div>
        <button id="send" type="submit">Sign in</button>
      </form>
      <button id="sign-out" type="button" hidden>Sign out</button>
      <p id="result" role="status" aria-live="polite" tabindex="-1"></p>
      <noscript><p>This page needs JavaScript.</p></noscript>`;

const CSS = `label { display: block; font-weight: 600; margin-top: 0.75rem; }
input, select { font: inherit; box-sizing: border-box; width: 100%; min-height: 3rem; padding: 0.5rem 0.75rem; border: 1px solid; border-radius: 0.5rem; }
#send { margin-top: 1.25rem; }
div[hidden] { display: none; }
`;

/** `/sign-in` of the codec server, to which `/` leads. */
export const signInPages = (): readonly Page[] => [
  ...framedPages({ path: '/sign-in', content: CONTENT, css: CSS, script: SIGN_IN_SCRIPT }),
  {
    path: '/',
    respond: (ctx) => {
      ctx.redirect('/sign-in');
    },
  },
];
