import { inspect } from 'node:util';

import { describe, expect, it } from '@jest/globals';

import { createMailTransport, type OutgoingMail } from '../../src/mail/mail-transport';
import { messageIdFor } from '../../src/mail/message-id';
import { eventually } from '../support/eventually';
import { createMailbox } from '../support/mailbox';
import { HANG, HANG_UP, type SmtpScript, startSmtpServer } from '../support/smtp-server';
import { useStack } from '../support/stack';

const TO = 'abebe@example.et';
const FROM = 'Meqenet <no-reply@meqenet.et>';
const mail = (change: Partial<OutgoingMail> = {}): OutgoingMail => ({
  to: TO,
  subject: 'Welcome',
  text: 'Hello',
  html: '<p>Hello</p>',
  messageId: messageIdFor('welcome/1', 'meqenet.et'),
  ...change,
});
const createTransport = (port: number, timeoutMs = 1_000) =>
  createMailTransport({ host: '127.0.0.1', port, secure: false, timeoutMs, from: FROM });

/** What a mail server that follows the script makes of one mail, and how long that takes. */
const sendTo = async (script: SmtpScript, timeoutMs?: number) => {
  const server = await startSmtpServer(script);
  const transport = createTransport(server.port, timeoutMs);
  const begin = performance.now();
  try {
    const error = await transport.send(mail()).then(
      () => undefined,
      (thrown: unknown) => thrown as Error & { permanent: boolean },
    );
    return { error, ms: performance.now() - begin, messages: [...server.messages], commands: [...server.commands] };
  } finally {
    transport.close();
    await server.close();
  }
};

describe('a mail server', () => {
  it('that accepts a mail has got it in full', async () => {
    const { error, messages, commands } = await sendTo({});
    expect(error).toBeUndefined();
    expect(commands).toEqual(expect.arrayContaining([`RCPT TO:<${TO}>`]));
    expect(messages).toHaveLength(1);
    expect(messages[0]).toMatch(/^Message-ID: <[0-9a-f]{32}@meqenet\.et>$/m);
    expect(messages[0]).toMatch(/^Auto-Submitted: auto-generated$/m);
    expect(messages[0]).toMatch(/^From: Meqenet <no-reply@meqenet\.et>$/m);
    expect(messages[0]).not.toMatch(/X-Mailer|nodemailer/i);
  });

  it.each<[string, SmtpScript]>([
    ['does not know the recipient', { RCPT: `550 5.1.1 <${TO}> unknown` }],
    ['refuses the address', { RCPT: `553 ${TO} not allowed` }],
    ['takes the mail for spam', { MESSAGE: `554 ${TO}: spam` }],
  ])('that %s is final, and tells no address', async (_name, script) => {
    const { error } = await sendTo(script);
    expect(error).toMatchObject({ name: 'MailRejectedError', permanent: true, code: 'MAIL_REJECTED' });
    expect(inspect(error)).not.toContain('abebe');
  });

  it.each<[string, SmtpScript]>([
    ['greylists', { RCPT: `451 4.7.1 <${TO}> greylisted, come back later` }],
    ['has no space', { MESSAGE: '452 no space' }],
    ['does not relay for us', { MAIL: '550 relay denied' }],
    ['wants a login', { RCPT: '530 authentication required' }],
    ['is shutting down', { CONNECT: '421 shutting down' }],
    ['hangs up', { DATA: HANG_UP }],
    ['hangs up before it has accepted', { MESSAGE: HANG_UP }],
  ])('that %s is worth another try, and tells no address (kratos#732, keycloak#36409)', async (_name, script) => {
    const { error, messages } = await sendTo(script);
    expect(error).toMatchObject({ name: 'MailUnavailableError', permanent: false, code: 'MAIL_UNAVAILABLE' });
    expect(inspect(error)).not.toContain('abebe');
    expect(messages).toEqual([]);
  });

  it.each<[string, SmtpScript]>([
    ['never greets', { CONNECT: HANG }],
    ['falls silent at the start', { EHLO: HANG }],
    ['falls silent in the midst', { DATA: HANG }],
    ['falls silent after the mail', { MESSAGE: HANG }],
  ])('that %s is given up in time', async (_name, script) => {
    const { error, ms } = await sendTo(script, 300);
    expect(error).toMatchObject({ name: 'MailUnavailableError', permanent: false });
    expect(ms).toBeLessThan(2_500);
  });

  it('that is not there is worth another try, and is found out by a check in time', async () => {
    const transport = createTransport(1);
    await expect(transport.send(mail())).rejects.toMatchObject({ name: 'MailUnavailableError' });
    await expect(transport.verify()).rejects.toMatchObject({ name: 'MailUnavailableError' });
    transport.close();

    const silent = await startSmtpServer({ EHLO: HANG });
    const patient = createTransport(silent.port, 60_000);
    const begin = performance.now();
    await expect(patient.verify(300)).rejects.toMatchObject({ name: 'MailUnavailableError' });
    expect(performance.now() - begin).toBeLessThan(1_500);
    patient.close();
    await silent.close();
  });

  it('gets no second copy by retries behind the back of the caller (kratos#1598)', async () => {
    const { commands } = await sendTo({ MESSAGE: '451 later' });
    expect(commands.filter((command) => command.startsWith('RCPT'))).toHaveLength(1);
  });
});

describe('a mail', () => {
  it('has the Message-ID that belongs to its key, every time', () => {
    const id = messageIdFor('welcome/019ac0de-5b1c-7f2e-9c39-3f9a4d1f0a11', 'meqenet.et');
    expect(messageIdFor('welcome/019ac0de-5b1c-7f2e-9c39-3f9a4d1f0a11', 'meqenet.et')).toBe(id);
    expect(messageIdFor('welcome/019ac0de-5b1c-7f2e-9c39-3f9a4d1f0a12', 'meqenet.et')).not.toBe(id);
    expect(id).not.toContain('019ac0de');
  });

  it.each([
    'abebe@example.et\r\nRCPT TO:<evil@example.et>',
    'abebe@example.et, evil@example.et',
    'abebe@example.et;evil@example.et',
    'Abebe <abebe@example.et>',
    '<abebe@example.et>',
    '"evil@example.et" abebe@example.et',
    'abebe',
    '',
  ])('to %p is refused before anything is sent', async (to) => {
    const server = await startSmtpServer();
    const transport = createTransport(server.port);
    await expect(transport.send(mail({ to }))).rejects.toMatchObject({ name: 'MailRejectedError', permanent: true });
    expect(server.commands).toEqual([]);
    transport.close();
    await server.close();
  });

  it('cannot be given a header through its subject', async () => {
    const server = await startSmtpServer();
    const transport = createTransport(server.port);
    await transport.send(mail({ subject: 'Hello\r\nBcc: evil@example.et\r\n\r\nbody' }));
    transport.close();
    expect(server.messages[0]).not.toMatch(/^Bcc:/im);
    expect(server.commands.filter((command) => command.startsWith('RCPT'))).toEqual([`RCPT TO:<${TO}>`]);
    await server.close();
  });

  it('never sends a password over a line that is not encrypted', async () => {
    const server = await startSmtpServer();
    const transport = createMailTransport({
      host: '127.0.0.1',
      port: server.port,
      secure: false,
      username: 'meqenet',
      password: 'the password',
      timeoutMs: 1_000,
      from: FROM,
    });
    await expect(transport.send(mail())).rejects.toMatchObject({ name: 'MailUnavailableError' });
    expect(server.commands.join()).not.toMatch(/AUTH/);
    transport.close();
    await server.close();
  });
});

describe('many mails', () => {
  const stack = useStack('mail');

  it('reach a real mail server, each once, and one bad address does not hold up the others', async () => {
    const transport = createTransport(Number(stack.env['SMTP_PORT']), 10_000);
    const addresses = Array.from({ length: 100 }, (_, index) => `person-${String(index)}@example.et`);
    const results = await Promise.allSettled(
      ['no address', ...addresses].map((to) => transport.send(mail({ to, messageId: messageIdFor(to, 'meqenet.et') }))),
    );
    expect(results.map(({ status }) => status)).toEqual(['rejected', ...addresses.map(() => 'fulfilled')]);
    const mailbox = createMailbox(stack.mailUrl);
    const caught = await eventually('all of them', async () => {
      const all = await mailbox.all();
      return all.length >= 100 && all;
    });
    expect(caught.map(({ to }) => to[0]?.address).sort()).toEqual([...addresses].sort());
    expect(caught.every(({ subject, text }) => subject === 'Welcome' && text.trim() === 'Hello')).toBe(true);
    transport.close();
  });
});
