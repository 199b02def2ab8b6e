import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { Browser, CDPSession, Page } from 'playwright-core';

/** A page of an app, on an origin of its own. */
export interface AppPage {
  readonly origin: string;
  close(): Promise<void>;
}
export const serveAppPage = async (): Promise<AppPage> => {
  const server: Server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html').end('<!doctype html><title>An app</title>');
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://localhost:${String(port)}`,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
};

/** What a page of the app has got from the API. */
export interface PageAnswer {
  readonly status: number;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- tests look into whatever came back
  readonly body: any;
}

/** A person before a browser, with an authenticator that needs no touching. */
export interface Visitor {
  readonly page: Page;
  readonly cdp: CDPSession;
  readonly authenticatorId: string;
  /** Asks for options, uses the authenticator, and sends its answer: all within the page, as an app does. */
  ceremony(kind: 'create' | 'get', paths: Ceremony): Promise<PageAnswer>;
  close(): Promise<void>;
}
export interface Ceremony {
  readonly options: string;
  readonly verify: string;
  readonly body?: object;
  readonly token?: string;
  /** Changes of the options that the page makes. */
  readonly change?: object;
}

interface Asked extends Ceremony {
  readonly kind: 'create' | 'get';
  readonly apiUrl: string;
}

/** Runs in the page. A refusal of the browser is told by its name, as status 0. */
const run = async ({ kind, apiUrl, options, verify, body, token, change }: Asked): Promise<PageAnswer> => {
  const post = async (path: string, content: unknown): Promise<PageAnswer> => {
    const response = await fetch(`${apiUrl}${path}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      ...(content !== undefined && { body: JSON.stringify(content) }),
    });
    return { status: response.status, body: await response.json() };
  };
  // The types of the browser are not those of the tests.
  const { PublicKeyCredential: Credential, navigator } = globalThis as unknown as {
    PublicKeyCredential: Record<string, (json: unknown) => object>;
    navigator: { credentials: Record<string, (options: object) => Promise<{ toJSON(): object }>> };
  };
  const begun = await post(options, body);
  if (begun.status >= 300) return begun;
  const parser = kind === 'create' ? 'parseCreationOptionsFromJSON' : 'parseRequestOptionsFromJSON';
  try {
    const publicKey = Credential[parser]!({ ...begun.body.publicKey, ...change });
    const credential = await navigator.credentials[kind]!({ publicKey });
    const { enrollmentId } = begun.body;
    return await post(verify, { ...(enrollmentId !== undefined && { enrollmentId }), credential: credential.toJSON() });
  } catch (error) {
    return { status: 0, body: (error as Error).name };
  }
};

interface VisitorOptions {
  readonly apiUrl: string;
  readonly origin: string;
  readonly backedUp?: boolean;
}

export const visit = async (
  browser: Browser,
  { apiUrl, origin, backedUp = false }: VisitorOptions,
): Promise<Visitor> => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(origin);
  const cdp = await context.newCDPSession(page);
  await cdp.send('WebAuthn.enable', { enableUI: false });
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      ...{ protocol: 'ctap2', ctap2Version: 'ctap2_1', transport: 'internal' },
      ...{ hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
      ...{ defaultBackupEligibility: backedUp, defaultBackupState: backedUp },
    },
  });
  return {
    ...{ page, cdp, authenticatorId },
    ceremony: (kind, paths) => page.evaluate(run, { kind, apiUrl, ...paths }),
    close: () => context.close(),
  };
};
