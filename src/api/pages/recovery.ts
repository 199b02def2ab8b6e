import type { Page } from '../page';
import { framedPages } from './frame';
import { CANCEL_RECOVERY_SCRIPT, COMPLETE_RECOVERY_SCRIPT } from './recovery.script';

const content = (
  title: string,
  hint: string,
  button: string,
  field: string,
): string => `      <h1 id="title">${title}</h1>
      <form id="form" method="post" hidden>
${field}        <p id="hint">${hint}</p>
        <button id="send" type="submit">${button}</button>
      </form>
      <p id="result" role="status" aria-live="polite" tabindex="-1"></p>
      <noscript><p>This page needs JavaScript.</p></noscript>`;

const PASSWORD = `        <label id="label" for="password">Password</label>
        <input id="password" name="password" type="password" autocomplete="current-password" required aria-describedby="hint">
`;
const CSS = `label { display: block; font-weight: 600; }
input { font: inherit; box-sizing: border-box; width: 100%; min-height: 3rem; padding: 0.5rem 0.75rem; border: 1px solid; border-radius: 0.5rem; }
`;

/** `/cancel-recovery#token=…` and `/complete-recovery#token=…`, where the links in the mails of an account recovery lead. */
export const recoveryPages = (): readonly Page[] => [
  ...framedPages({
    path: '/cancel-recovery',
    content: content('Stop the recovery of your account', 'Press the button to stop it.', 'Stop it', ''),
    css: CSS,
    script: CANCEL_RECOVERY_SCRIPT,
  }),
  ...framedPages({
    path: '/complete-recovery',
    content: content('Recover your account', 'Two-step login is turned off.', 'Recover my account', PASSWORD),
    css: CSS,
    script: COMPLETE_RECOVERY_SCRIPT,
  }),
];
