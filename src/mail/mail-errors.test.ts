import { inspect } from 'node:util';

import { describe, expect, test } from '@jest/globals';

import { MailRejectedError, MailUnavailableError, toMailError } from './mail-errors';

const smtpError = (command: string, responseCode: number, code = 'EENVELOPE') =>
  Object.assign(new Error(`${String(responseCode)} <abebe@example.et>: no`), { command, responseCode, code });

describe('toMailError', () => {
  test.each([smtpError('RCPT TO', 550), smtpError('RCPT TO', 501), smtpError('DATA', 554, 'EMESSAGE')])(
    'a recipient or message refused with 5xx is final ($command $responseCode)',
    (error) => {
      const mailError = toMailError(error);
      expect(mailError).toBeInstanceOf(MailRejectedError);
      expect(mailError.permanent).toBe(true);
    },
  );

  test.each([
    smtpError('RCPT TO', 451),
    smtpError('RCPT TO', 530),
    smtpError('MAIL FROM', 550),
    smtpError('AUTH PLAIN', 535, 'EAUTH'),
    Object.assign(new Error('connect ECONNREFUSED'), { code: 'ESOCKET', command: 'CONN' }),
    new Error('anything'),
    'not even an error',
  ])('everything else may work later (%#)', (error) => {
    const mailError = toMailError(error);
    expect(mailError).toBeInstanceOf(MailUnavailableError);
    expect(mailError.permanent).toBe(false);
  });

  test('names the reply and never the address', () => {
    const mailError = toMailError(smtpError('RCPT TO', 550));
    expect(mailError.message).toBe('The mail was refused for good (EENVELOPE, 550)');
    expect(inspect(mailError, { depth: null, showHidden: true })).not.toContain('abebe');
  });
});
