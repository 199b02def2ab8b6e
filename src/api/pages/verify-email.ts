import { filePage, type Page } from '../page';
import { VERIFY_EMAIL_CSS, VERIFY_EMAIL_HTML } from './verify-email.html';
import { VERIFY_EMAIL_SCRIPT } from './verify-email.script';

/**
 * `/verify-email#registrationId=…&code=…`, where the link in the verification mail leads. Texts in modules, not files:
 * the compiler copies no assets, and so they are there however the service is built and started.
 */
export const verifyEmailPages = (): readonly Page[] => [
  filePage('/verify-email', () => ({ contentType: 'text/html; charset=utf-8', content: VERIFY_EMAIL_HTML })),
  filePage('/verify-email.css', () => ({ contentType: 'text/css; charset=utf-8', content: VERIFY_EMAIL_CSS })),
  filePage('/verify-email.js', () => ({ contentType: 'text/javascript; charset=utf-8', content: VERIFY_EMAIL_SCRIPT })),
];
