import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { type Served, serveApp } from '../../../test/support/serve-app';
import { recoveryPages } from './recovery';
import { CANCEL_RECOVERY_SCRIPT, COMPLETE_RECOVERY_SCRIPT } from './recovery.script';
import { resetPasswordPages } from './reset-password';
import { RESET_PASSWORD_SCRIPT } from './reset-password.script';
import { verifyEmailPages } from './verify-email';
import { VERIFY_EMAIL_SCRIPT } from './verify-email.script';

let served: Served;
beforeAll(async () => {
  served = await serveApp([], {
    docs: { title: 'Meqenet Auth', version: '1.0.0' },
    pages: [...verifyEmailPages(), ...resetPasswordPages(), ...recoveryPages()],
  });
});
afterAll(() => served.close(1_000));

describe.each([
  ['/verify-email', 'text/html; charset=utf-8'],
  ['/verify-email.js', 'text/javascript; charset=utf-8'],
  ['/verify-email.css', 'text/css; charset=utf-8'],
  ['/reset-password', 'text/html; charset=utf-8'],
  ['/reset-password.js', 'text/javascript; charset=utf-8'],
  ['/reset-password.css', 'text/css; charset=utf-8'],
  ['/cancel-recovery', 'text/html; charset=utf-8'],
  ['/complete-recovery', 'text/html; charset=utf-8'],
  ['/complete-recovery.js', 'text/javascript; charset=utf-8'],
  ['/api/docs', 'text/html; charset=utf-8'],
  ['/api/docs/initializer.js', 'text/javascript; charset=utf-8'],
  ['/api/docs/swagger-ui.css', 'text/css; charset=utf-8'],
  ['/api/docs/swagger-ui-bundle.js', 'text/javascript; charset=utf-8'],
  ['/api/docs/favicon-32x32.png', 'image/png'],
  ['/api/docs/openapi.json', 'application/json'],
])('%s', (path, contentType) => {
  test('has its type, a policy without anything inline, and an ETag that works', async () => {
    const response = await fetch(served.origin + path);
    expect([response.status, response.headers.get('content-type')]).toEqual([200, contentType]);
    const policy = response.headers.get('content-security-policy');
    expect(policy).toContain("script-src 'self'");
    expect(policy).not.toContain('unsafe');
    expect(response.headers.get('cache-control')).toBe('public, max-age=3600');
    // Not by fetch(), which adds Cache-Control: no-cache to such a request.
    const again = await served.raw(
      `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nIf-None-Match: ${response.headers.get('etag')!}\r\n\r\n`,
    );
    expect(again).toMatch(/^HTTP\/1.1 304 [^]*\r\n\r\n$/);
  });
  test('has no inline script, style or handler', async () => {
    if (!contentType.startsWith('text/html')) return;
    const html = await (await fetch(served.origin + path)).text();
    expect(html).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\son\w+=|\sstyle=|https?:\/\//);
  });
});

test.each([
  '/api/docs/package.json',
  '/api/docs/swagger-ui-bundle.js.map',
  '/api/docs/../package.json',
  '/api/docs/..%2fpackage.json',
  '/api/docs/%2e%2e/package.json',
])('%s is not served', async (path) => {
  expect(await served.raw(`GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)).toMatch(/^HTTP\/1.1 404/);
});

test.each([VERIFY_EMAIL_SCRIPT, RESET_PASSWORD_SCRIPT, CANCEL_RECOVERY_SCRIPT, COMPLETE_RECOVERY_SCRIPT])(
  'the script of a page is well-formed',
  (script) => {
    // eslint-disable-next-line @typescript-eslint/no-implied-eval
    expect(() => new Function(script)).not.toThrow();
  },
);
