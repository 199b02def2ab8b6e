import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser, BrowserContext, Page } from 'playwright-core';

import { hasBrowser, launchBrowser } from '../support/browser';
import { type EncodedRun, registeredRun } from '../support/codec';
import { appCode, letStepsPass } from '../support/mfa';
import { useTestService } from '../support/service';
import { type Account, hire, STAFF_SECRET } from '../support/staff';

const COOKIE = 'meqenet-codec';
const START_TIMEOUT_MS = 90_000;
/** Stands in the arguments of every registration, and nowhere in what Temporal keeps. */
const DECODED = 'profileCiphertext';

let browser: Browser;
let run: EncodedRun;
let officer: Account;
let developer: Account;

if (hasBrowser()) {
  const service = useTestService({ processes: ['api', 'worker', 'consumer', 'codec-server'] });
  beforeAll(async () => {
    browser = await launchBrowser();
    run = await registeredRun(service);
    [officer, developer] = await Promise.all([hire(service, 'COMPLIANCE'), hire(service, 'DEVELOPER')]);
  }, START_TIMEOUT_MS);
  afterAll(() => browser.close());

  /** What the UI shows of what it cannot decode: the bytes as Temporal keeps them, here the first of them. */
  const cipherText = () => run.input[0]?.data.slice(0, 24) ?? '';
  const codecUrl = () => `http://localhost:${String(service.stack.ports.codecServer)}`;

  const cookieIn = async (context: BrowserContext) =>
    (await context.cookies(codecUrl())).find(({ name }) => name === COOKIE);

  /** The page of the registration in the Temporal UI, once it has asked the codec server for its arguments. */
  const shownBy = async (context: BrowserContext, expected: string): Promise<string> => {
    const page = await context.newPage();
    // Payload by payload is asked for; until its answer each stands there as it came.
    const asked = page.waitForResponse((response) => {
      const request = response.request();
      return request.url().startsWith(`${codecUrl()}/decode`) && request.postData()?.includes(cipherText()) === true;
    });
    const { workflowId, runId } = run;
    await page.goto(
      `${service.stack.temporalUiUrl}/namespaces/default/workflows/${encodeURIComponent(workflowId)}/${runId}/history`,
    );
    await asked;
    await page.getByText(expected).first().waitFor();
    const text = await page.locator('body').innerText();
    await page.close();
    return text;
  };

  /** Through the page of the codec server. @returns what it says in the end */
  const signIn = async (page: Page, { person }: Account, code?: string): Promise<string> => {
    await page.goto(codecUrl());
    await page.fill('#account', person.email);
    await page.fill('#password', person.password);
    await page.click('#send');
    if (code !== undefined) {
      await page.waitForSelector('#second:not([hidden])');
      await page.fill('#code', code);
      await page.click('#send');
    }
    await page.locator('#result', { hasText: /signed in|may not/ }).waitFor();
    return page.locator('#result').innerText();
  };

  describe('the Temporal UI in Chromium', () => {
    it('shows cipher text to whoever has not signed in', async () => {
      const context = await browser.newContext({ locale: 'en' });
      const text = await shownBy(context, cipherText());
      expect(text).toContain(cipherText());
      expect(text).not.toContain(DECODED);
      await context.close();
    });

    it('shows an operator what a workflow was given, from the sign-in to the sign-out', async () => {
      const context = await browser.newContext({ locale: 'en' });
      const page = await context.newPage();
      await letStepsPass(service, officer.userId);
      expect(await signIn(page, officer, appCode(STAFF_SECRET))).toMatch(/^You are signed in/);
      expect(new URL(page.url()).pathname).toBe('/sign-in');
      const cookie = await cookieIn(context);
      expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict' });
      expect(await page.evaluate('document.cookie')).toBe('');
      const text = await shownBy(context, DECODED);
      expect(text).toContain(DECODED);
      expect(text).not.toContain(cipherText());

      await page.click('#sign-out');
      await page.locator('#result', { hasText: 'signed out' }).waitFor();
      expect(await cookieIn(context)).toBeUndefined();
      expect(await shownBy(context, cipherText())).not.toContain(DECODED);
      await context.close();
    });

    it('shows cipher text to an operator without the right, who is told so', async () => {
      const context = await browser.newContext({ locale: 'en' });
      const page = await context.newPage();
      expect(await signIn(page, developer)).toBe('Your account may not decode workflows.');
      expect(await cookieIn(context)).toBeUndefined();
      const text = await shownBy(context, cipherText());
      expect(text).toContain(cipherText());
      expect(text).not.toContain(DECODED);
      await context.close();
    });
  });
} else {
  it.skip('the Temporal UI in Chromium: there is none on this machine (CHROMIUM_PATH names one)', () => undefined);
}
