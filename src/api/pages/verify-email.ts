import type { Page } from '../page';
import { framedPages } from './frame';
import { VERIFY_EMAIL_SCRIPT } from './verify-email.script';

const CONTENT = `      <h1 id="title">Confirm your e-mail address</h1>
      <p id="intro">Press the button to confirm your e-mail address and open your Meqenet account.</p>
      <button id="confirm" type="button">Confirm</button>
      <p id="result" role="status" aria-live="polite" tabindex="-1"></p>
      <noscript><p>This page needs JavaScript. You can also enter the code of the mail in the app.</p></noscript>`;

const CSS = `@media (min-width: 30rem) { button { width: auto; } }
`;

/** `/verify-email#registrationId=…&code=…`, where the link in the verification mail leads. */
export const verifyEmailPages = (): readonly Page[] =>
  framedPages({ path: '/verify-email', content: CONTENT, css: CSS, script: VERIFY_EMAIL_SCRIPT });
