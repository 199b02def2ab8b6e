import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import type { Browser } from 'playwright-core';

import { auditEventsOf } from '../support/audit';
import { hasBrowser, launchBrowser } from '../support/browser';
import { join } from '../support/contact';
import { listFactors } from '../support/mfa';
import { PASSKEY_SUSPECTED_SUBJECT } from '../support/passkeys';
import { logIn } from '../support/people';
import { useTestService } from '../support/service';
import { type AppPage, type PageAnswer, serveAppPage, type Visitor, visit } from '../support/virtual-authenticator';

const REGISTRATION = {
  options: '/v1/auth/passkeys/registration/options',
  verify: '/v1/auth/passkeys/registration/verify',
};
const LOGIN = { options: '/v1/auth/passkeys/login/options', verify: '/v1/auth/passkeys/login/verify' };
const STEP_UP = { options: '/v1/auth/passkeys/step-up/options', verify: '/v1/auth/passkeys/step-up/verify' };
const START_TIMEOUT_MS = 90_000;

/** Its own pages are known before the service starts. */
const env: Record<string, string> = {};
let pages: { app: AppPage; other: AppPage };
let browser: Browser;
const toClose: (() => Promise<unknown>)[] = [];

if (hasBrowser()) {
  beforeAll(async () => {
    const [app, other] = await Promise.all([serveAppPage(), serveAppPage()]);
    pages = { app, other };
    toClose.push(app.close, other.close);
    // Pages of both may call, and one of them may use passkeys.
    env['CORS_ORIGINS'] = `${app.origin},${other.origin}`;
    env['WEBAUTHN_ORIGINS'] = app.origin;
    env['WEBAUTHN_RP_ID'] = 'localhost';
  });
  const service = useTestService({ env });
  beforeAll(async () => {
    browser = await launchBrowser();
    toClose.unshift(() => browser.close());
  }, START_TIMEOUT_MS);
  afterAll(async () => {
    for (const close of toClose) await close();
  });

  const claimsOf = ({ body }: PageAnswer) => decodeJwt(body.accessToken as string);
  const open = (backedUp = false, origin = pages.app.origin): Promise<Visitor> =>
    visit(browser, { apiUrl: service.apiUrl, origin, backedUp });
  /** Somebody who has just registered a passkey in their browser. */
  const owner = async (backedUp = false) => {
    const [member, visitor] = await Promise.all([join(service), open(backedUp)]);
    const body = { label: 'My laptop' };
    const answer = await visitor.ceremony('create', { ...REGISTRATION, body, token: member.token });
    expect(answer).toMatchObject({ status: 200, body: { factorId: expect.any(String) } });
    return { ...member, visitor, recoveryCodes: answer.body.recoveryCodes as string[] };
  };
  const login = (visitor: Visitor, body: object = {}, change: object = {}) =>
    visitor.ceremony('get', { ...LOGIN, body, change });

  describe('a passkey in Chromium', () => {
    it('is registered, logs in without a password, and raises a session', async () => {
      const { visitor, token, userId, sessionId, recoveryCodes } = await owner();
      expect(recoveryCodes).toHaveLength(10);
      const opened = await login(visitor);
      expect(opened.status).toBe(200);
      expect(claimsOf(opened)).toMatchObject({ sub: userId, acr: 'aal2', amr: ['hwk', 'user', 'mfa'] });
      const raised = await visitor.ceremony('get', { ...STEP_UP, token });
      expect(raised.status).toBe(200);
      expect(claimsOf(raised)).toMatchObject({ sub: userId, sid: sessionId, acr: 'aal2' });
      // The browser keeps to excludeCredentials: one authenticator, one passkey.
      const again = { ...REGISTRATION, body: {}, token: raised.body.accessToken as string };
      expect(await visitor.ceremony('create', again)).toEqual({ status: 0, body: 'InvalidStateError' });
      await visitor.close();
    });

    it('completes a login by password', async () => {
      const { visitor, person, userId } = await owner();
      const { body } = await logIn(service, person);
      expect(body.factors).toEqual(['passkey', 'recovery_code']);
      // The password was typed on another kind of device than the browser that shows the passkey.
      expect(await login(visitor, { mfaToken: body.mfaToken as string })).toMatchObject({
        status: 401,
        body: { code: 'invalid_mfa_token' },
      });
      const { email, password } = person;
      const typed = await visitor.page.evaluate(
        async ([url, content]) => {
          const headers = { 'content-type': 'application/json' };
          const response = await fetch(`${url!}/v1/auth/login`, { method: 'POST', headers, body: content! });
          return (await response.json()) as { mfaToken: string };
        },
        [service.apiUrl, JSON.stringify({ email, password })],
      );
      const opened = await login(visitor, { mfaToken: typed.mfaToken });
      expect(opened.status).toBe(200);
      expect(claimsOf(opened)).toMatchObject({ sub: userId, amr: ['pwd', 'hwk', 'user', 'mfa'] });
      await visitor.close();
    });

    it('keeps whether it is backed up', async () => {
      const { visitor, token } = await owner(true);
      const factor = async () => (await listFactors(service, token)).body.factors[0] as unknown;
      expect(await factor()).toMatchObject({ factor: 'passkey', label: 'My laptop', backedUp: true, lastUsedAt: null });
      const { credentials } = await visitor.cdp.send('WebAuthn.getCredentials', {
        authenticatorId: visitor.authenticatorId,
      });
      const [{ credentialId } = { credentialId: '' }] = credentials;
      await visitor.cdp.send('WebAuthn.setCredentialProperties', {
        ...{ authenticatorId: visitor.authenticatorId, credentialId, backupState: false },
      });
      const opened = await login(visitor);
      expect(claimsOf(opened)['amr']).toEqual(['swk', 'user', 'mfa']);
      expect(await factor()).toMatchObject({ backedUp: false, lastUsedAt: expect.any(String) });
      await visitor.close();
    });

    it('that was copied is refused once its original has been used, and its owner is told', async () => {
      const { visitor, userId, person } = await owner();
      const { cdp, authenticatorId } = visitor;
      const { credentials } = await cdp.send('WebAuthn.getCredentials', { authenticatorId });
      const [copy] = credentials;
      for (let uses = 0; uses < 2; uses += 1) expect((await login(visitor)).status).toBe(200);
      await cdp.send('WebAuthn.removeCredential', { authenticatorId, credentialId: copy!.credentialId });
      await cdp.send('WebAuthn.addCredential', { authenticatorId, credential: copy! });
      expect(await login(visitor)).toMatchObject({ status: 401, body: { code: 'invalid_credentials' } });
      await service.mailbox.waitFor(person.email, PASSKEY_SUSPECTED_SUBJECT);
      expect(await auditEventsOf(service.database, userId, 'passkey.suspected')).toHaveLength(1);
      await visitor.close();
    });

    it('is refused without user verification, from another origin, and for another relying party', async () => {
      const { visitor, token, userId } = await owner();
      const { cdp, authenticatorId } = visitor;
      await cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false });
      expect(await login(visitor, {}, { userVerification: 'discouraged' })).toMatchObject({ status: 401 });
      await cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: true });
      expect((await login(visitor)).status).toBe(200);
      // The browser itself refuses a relying party that is not the page's.
      expect(await login(visitor, {}, { rpId: 'meqenet.et' })).toEqual({ status: 0, body: 'SecurityError' });
      // Another page of this host has the same relying party: only the origin tells it apart.
      const { credentials } = await cdp.send('WebAuthn.getCredentials', { authenticatorId });
      const elsewhere = await open(false, pages.other.origin);
      await elsewhere.cdp.send('WebAuthn.addCredential', {
        ...{ authenticatorId: elsewhere.authenticatorId, credential: credentials[0]! },
      });
      expect(await login(elsewhere)).toMatchObject({ status: 401, body: { code: 'invalid_credentials' } });
      const other = await join(service);
      expect(await elsewhere.ceremony('create', { ...REGISTRATION, body: {}, token: other.token })).toMatchObject({
        status: 422,
        body: { code: 'invalid_passkey' },
      });
      expect((await listFactors(service, token)).body.factors).toHaveLength(1);
      expect(await auditEventsOf(service.database, userId, 'login.failed')).toHaveLength(2);
      await Promise.all([visitor.close(), elsewhere.close()]);
    });
  });
} else {
  it.skip('a passkey in Chromium: there is none on this machine (CHROMIUM_PATH names one)', () => undefined);
}
