import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

import { loadConfig } from '../../../src/config/load';
import { createMailTransport } from '../../../src/mail/mail-transport';
import { messageIdFor } from '../../../src/mail/message-id';
import { NOT_TRUSTED } from '../../support/certificates';
import { eventually } from '../../support/eventually';
import { useMutualTls } from '../../support/mutual-tls';
import { startSmtpServer } from '../../support/smtp-server';
import { useStack } from '../../support/stack';

const NAME = 'mail.test';
const received: { readonly message: string; readonly isSecure: boolean }[] = [];
const servers: SMTPServer[] = [];
// No part of it: its secrets make the rest of the configuration whole.
const stack = useStack();
const tls = useMutualTls();
let [starttls, implicit, plain] = [0, 0, 0];

const startServer = async (options: SMTPServerOptions): Promise<number> => {
  const server = new SMTPServer({
    authOptional: true,
    onData: (stream, session, done) => {
      text(stream).then((message) => {
        received.push({ message, isSecure: session.secure });
        done();
      }, done);
    },
    ...options,
  });
  servers.push(server);
  server.on('error', () => undefined);
  const listening = server.listen(0, '127.0.0.1');
  await new Promise((resolve) => listening.once('listening', resolve));
  return (listening.address() as AddressInfo).port;
};

beforeAll(async () => {
  const certificate = await tls.authority.issue(NAME);
  const mutual = { ...certificate, ca: tls.authority.cert, requestCert: true, rejectUnauthorized: true };
  starttls = await startServer(mutual);
  implicit = await startServer({ ...mutual, secure: true });
  plain = (await startSmtpServerWithoutTls()).port;
});
const startSmtpServerWithoutTls = async () => {
  const server = await startSmtpServer();
  afterClose.push(server.close);
  return server;
};
const afterClose: (() => Promise<void>)[] = [];
afterAll(async () => {
  await Promise.all(servers.map((server) => new Promise<void>((closed) => server.close(closed))));
  for (const close of afterClose) await close();
});

const right = (port: number) => ({
  SMTP_HOST: '127.0.0.1',
  SMTP_PORT: String(port),
  SMTP_REQUIRE_TLS: 'true',
  SMTP_TLS_CA: tls.authority.cert,
  SMTP_TLS_CERTIFICATE: tls.client.cert,
  SMTP_TLS_KEY: tls.client.key,
  SMTP_TLS_SERVER_NAME: NAME,
});
/** Sends one mail. @returns the reason why it was not sent */
const send = async (env: Record<string, string>): Promise<unknown> => {
  const { mail } = loadConfig(['mail'], { ...stack.env, SMTP_TIMEOUT: '2s', ...env });
  const transport = createMailTransport(mail);
  try {
    await transport.send({
      ...{ to: 'abebe@example.et', subject: 'Hello', text: 'Hello', html: '<p>Hello</p>' },
      messageId: messageIdFor(crypto.randomUUID(), 'meqenet.et'),
    });
    return undefined;
  } catch (error) {
    return error;
  } finally {
    transport.close();
  }
};
const unavailable = (reason: unknown) => ({ name: 'MailUnavailableError', failure: { reason } });

describe('mail over TLS', () => {
  it('arrives by STARTTLS and by TLS from the first byte, with the right authority and certificate', async () => {
    expect(await send(right(starttls))).toBeUndefined();
    expect(await send({ ...right(implicit), SMTP_SECURE: 'true' })).toBeUndefined();
    expect(received).toHaveLength(2);
    for (const { message, isSecure } of received) {
      expect(isSecure).toBe(true);
      expect(message).toMatch(/^To: abebe@example\.et$/m);
    }
  });

  it('is not given to a server for which a stranger vouches, or that has another name', async () => {
    const before = received.length;
    for (const env of [right(starttls), { ...right(implicit), SMTP_SECURE: 'true' }]) {
      const { SMTP_TLS_SERVER_NAME: _, ...unnamed } = env;
      const { SMTP_TLS_CA: __, ...unvouched } = env;
      const notTrusted = unavailable(expect.stringMatching(NOT_TRUSTED));
      expect(await send({ ...env, SMTP_TLS_CA: tls.stranger.cert })).toMatchObject(notTrusted);
      // Also where TLS is used only because it is offered.
      expect(await send({ ...unvouched, SMTP_REQUIRE_TLS: 'false' })).toMatchObject(notTrusted);
      for (const other of [unnamed, { ...env, SMTP_TLS_SERVER_NAME: 'redis.test' }])
        expect(await send(other)).toMatchObject(unavailable('ERR_TLS_CERT_ALTNAME_INVALID'));
    }
    expect(received).toHaveLength(before);
  });

  it('is not given to a server without TLS; and a server can refuse who shows no certificate', async () => {
    expect(await send(right(plain))).toMatchObject({ name: 'MailUnavailableError' });
    expect(await send({ ...right(plain), SMTP_REQUIRE_TLS: 'false' })).toBeUndefined();
    const before = received.length;
    for (const env of [right(starttls), { ...right(implicit), SMTP_SECURE: 'true' }]) {
      const { SMTP_TLS_CERTIFICATE: _, SMTP_TLS_KEY: __, ...anonymous } = env;
      expect(await send(anonymous)).toMatchObject({ name: 'MailUnavailableError' });
    }
    expect(received).toHaveLength(before);
  });

  it('logs in with the password of its time: a rotated one is used by the next connection', async () => {
    let accepted = 'the-password-of-before';
    const certificate = await tls.authority.issue(NAME);
    const tried: (string | null)[] = [];
    const port = await startServer({
      ...certificate,
      authOptional: false,
      onAuth: ({ username = '', password: given = '' }, _session, done) => {
        tried.push(given);
        if (given === accepted) done(null, { user: username });
        else done(new Error('535 5.7.8 not accepted'));
      },
    });
    const login = { SMTP_USERNAME: 'auth', SMTP_PASSWORD: accepted };
    const { mail } = loadConfig(['mail'], { ...stack.env, ...right(port), ...login });
    const transport = createMailTransport(mail);
    const arrives = (): Promise<void> =>
      transport.send({
        ...{ to: 'abebe@example.et', subject: 'Hello', text: 'Hello', html: '<p>Hello</p>' },
        messageId: messageIdFor(crypto.randomUUID(), 'meqenet.et'),
      });
    try {
      await arrives();
      accepted = 'the-password-of-now';
      // A connection that is open stays so.
      await arrives();
      Object.assign(mail, { password: accepted });
      for (const connection of servers.at(-1)?.connections ?? []) connection.close();
      await eventually('a mail over another connection', () => arrives().then(() => true));
      expect(tried).toEqual(['the-password-of-before', 'the-password-of-now']);
      await transport.verify();
    } finally {
      transport.close();
    }
  });
});
