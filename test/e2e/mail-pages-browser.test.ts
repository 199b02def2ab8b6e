import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';

import { hasBrowser, launchBrowser } from '../support/browser';
import { forgot, mailedToken } from '../support/passwords';
import { logIn, newPerson, register, signUp, VERIFICATION_SUBJECT } from '../support/people';
import { protectedPerson } from '../support/mfa';
import {
  approve,
  begunRecovery,
  mailedCancelToken,
  mailedCompletionToken,
  recoveryState,
  reviewer,
} from '../support/recovery';
import { useTestService } from '../support/service';

const START_TIMEOUT_MS = 90_000;
const INCOMPLETE = /This link is not complete\. Please open it again from the mail/;
const OFFLINE = /The service cannot be reached/;

if (hasBrowser()) {
  const service = useTestService({ env: { MFA_RECOVERY_WAIT: '2s', LOCKOUT_FREE_FAILURES: '50' } });
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  }, START_TIMEOUT_MS);
  afterAll(() => browser.close());

  /** A page as the link of a mail opens it; what the link says does not stay in the address. */
  const open = async (path: string, fragment: string, locale = 'en-GB'): Promise<Page> => {
    const page = await (await browser.newContext({ locale })).newPage();
    await page.goto(`${service.apiUrl}${path}#${fragment}`);
    expect(new URL(page.url()).hash).toBe('');
    return page;
  };
  /** Waits until the page says so. */
  const says = async (page: Page, text: RegExp, kind = 'failure'): Promise<void> => {
    const result = page.locator('#result', { hasText: text });
    await result.waitFor();
    expect(await result.getAttribute('data-kind')).toBe(kind);
  };
  const canTryAgain = (page: Page): Promise<boolean> => page.locator('button').isVisible();
  /** Presses the button without a network, where the same link still works afterwards. */
  const pressOffline = async (page: Page): Promise<void> => {
    await page.context().setOffline(true);
    await page.click('button');
    await says(page, OFFLINE);
    expect(await canTryAgain(page)).toBe(true);
    await page.context().setOffline(false);
  };
  const verificationLink = async (email: string): Promise<string> => {
    const [mail] = await service.mailbox.waitFor(email, VERIFICATION_SUBJECT);
    return /\/verify-email#(\S+)/.exec(mail?.text ?? '')?.[1] ?? '';
  };

  describe('the page that confirms an address', () => {
    it('opens the account, and says so again', async () => {
      const person = newPerson();
      await register(service, person);
      const link = await verificationLink(person.email);
      const page = await open('/verify-email', link);
      expect(await page.title()).toBe('Confirm your e-mail address');
      await pressOffline(page);
      await page.click('button');
      await says(page, /Your e-mail address is confirmed/, 'success');
      expect(await canTryAgain(page)).toBe(false);
      expect((await logIn(service, person)).status).toBe(200);

      const again = await open('/verify-email', link);
      await again.click('button');
      await says(again, /has already been confirmed/, 'success');
    });

    it('says what is wrong with a link, in the language of the browser', async () => {
      const person = newPerson();
      await register(service, person);
      const wrong = (await verificationLink(person.email)).replace(/code=\d/, (digits) =>
        digits.endsWith('0') ? 'code=1' : 'code=0',
      );
      const page = await open('/verify-email', wrong);
      await page.click('button');
      await says(page, /The code in this link is wrong/);
      expect(await canTryAgain(page)).toBe(false);
      await says(await open('/verify-email', 'code=123456'), INCOMPLETE);
      const amharic = await open('/verify-email', wrong, 'am-ET');
      expect([await amharic.title(), await amharic.locator('html').getAttribute('lang')]).toEqual([
        'የኢሜይል አድራሻዎን ያረጋግጡ',
        'am',
      ]);
    });
  });

  describe('the page that resets a password', () => {
    it('says what is wrong with a password, and sets the next one', async () => {
      const person = newPerson();
      await signUp(service, person);
      await forgot(service, person.email);
      const token = await mailedToken(service, person.email);
      const page = await open('/reset-password', `token=${token}`);
      expect(await page.title()).toBe('Choose a new password');
      expect(await page.locator('label').innerText()).toBe('New password');
      await page.fill('#password', 'short');
      await page.click('button');
      await says(page, /Please choose another password: this one \S/);
      const password = 'one more passphrase 42';
      await page.fill('#password', password);
      await pressOffline(page);
      await page.click('button');
      await says(page, /Your password is changed/, 'success');
      expect(await canTryAgain(page)).toBe(false);
      expect((await logIn(service, { ...person, password })).status).toBe(200);

      const again = await open('/reset-password', `token=${token}`);
      await again.fill('#password', 'and yet another one 43');
      await again.click('button');
      await says(again, /This link does not work any more/);
      expect(await canTryAgain(again)).toBe(false);
    });

    it('says that a link is not complete', async () => {
      await says(await open('/reset-password', 'token=abc'), INCOMPLETE);
      await says(await open('/reset-password', '', 'am'), /ይህ ማስፈንጠሪያ ሙሉ አይደለም/);
    });
  });

  describe('the pages of an account recovery', () => {
    it('stop it', async () => {
      const owner = await protectedPerson(service);
      const id = await begunRecovery(service, owner);
      const page = await open('/cancel-recovery', `token=${await mailedCancelToken(service, owner.person.email)}`);
      expect(await page.title()).toBe('Stop the recovery of your account');
      await pressOffline(page);
      await page.click('button');
      await says(page, /It is stopped, and nothing was changed/, 'success');
      expect(await recoveryState(service, id)).toBe('CANCELLED');
      const unknown = await open('/cancel-recovery', `token=${'A'.repeat(43)}`);
      await unknown.click('button');
      await says(unknown, /This link does not work any more/);
      expect(await canTryAgain(unknown)).toBe(false);
      await says(await open('/cancel-recovery', ''), INCOMPLETE);
    });

    it('complete it, with the password', async () => {
      const [owner, support] = [await protectedPerson(service), await reviewer(service, 'SUPPORT')];
      const id = await begunRecovery(service, owner);
      expect((await approve(service, support.token, id)).status).toBe(204);
      const token = await mailedCompletionToken(service, owner.person.email);
      const page = await open('/complete-recovery', `token=${token}`);
      expect(await page.title()).toBe('Recover your account');
      await page.fill('#password', 'not the password');
      await page.click('button');
      await says(page, /The password is wrong/);
      await page.fill('#password', owner.person.password);
      await page.click('button');
      await says(page, /Two-step login is off/, 'success');
      expect(await recoveryState(service, id)).toBe('COMPLETED');
    });
  });
} else {
  it.skip('the pages behind the links of mails need a browser', () => undefined);
}
