import { filePage, type Page } from '../page';
import { RESET_PASSWORD_CSS, RESET_PASSWORD_HTML } from './reset-password.html';
import { RESET_PASSWORD_SCRIPT } from './reset-password.script';

/** `/reset-password#token=…`, where the link in the mail that resets a password leads. */
export const resetPasswordPages = (): readonly Page[] => [
  filePage('/reset-password', () => ({ contentType: 'text/html; charset=utf-8', content: RESET_PASSWORD_HTML })),
  filePage('/reset-password.css', () => ({ contentType: 'text/css; charset=utf-8', content: RESET_PASSWORD_CSS })),
  filePage('/reset-password.js', () => ({
    contentType: 'text/javascript; charset=utf-8',
    content: RESET_PASSWORD_SCRIPT,
  })),
];
