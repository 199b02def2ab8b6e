import type { Page } from '../page';
import { framedPages } from './frame';
import { RESET_PASSWORD_SCRIPT } from './reset-password.script';

const CONTENT = `      <h1 id="title">Choose a new password</h1>
      <form id="form" method="post" hidden>
        <label id="label" for="password">New password</label>
        <input id="password" name="password" type="password" autocomplete="new-password" required aria-describedby="hint">
        <p id="hint">At least 8 characters. A few words that belong to nobody but you are better than one with signs.</p>
        <button id="send" type="submit">Set the password</button>
      </form>
      <p id="result" role="status" aria-live="polite" tabindex="-1"></p>
      <noscript><p>This page needs JavaScript.</p></noscript>`;

const CSS = `label { display: block; font-weight: 600; }
input { font: inherit; box-sizing: border-box; width: 100%; min-height: 3rem; padding: 0.5rem 0.75rem; border: 1px solid; border-radius: 0.5rem; }
`;

/** `/reset-password#token=…`, where the link in the mail that resets a password leads. */
export const resetPasswordPages = (): readonly Page[] =>
  framedPages({ path: '/reset-password', content: CONTENT, css: CSS, script: RESET_PASSWORD_SCRIPT });
