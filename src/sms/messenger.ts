import { createHash } from 'node:crypto';

import type { Locale } from '../contracts/locale';

import type { SmsProvider } from './sms-provider';
import { SMS_TEXTS, type SmsTextName, type SmsTextParams } from './texts';

/** The record of what was sent: mails and SMS share it. */
interface Deliveries {
  /** Runs `send` once per key, ever (see `MailDeliveryRepository`). */
  once(key: string, messageId: string, send: () => Promise<void>): Promise<boolean>;
}

export interface SmsMessage<Name extends SmsTextName> {
  /** Such as `phone-code/<change id>`: one SMS for each, however often it is asked for. */
  readonly key: string;
  /** E.164. */
  readonly to: string;
  readonly locale: Locale;
  readonly text: Name;
  readonly params: SmsTextParams<Name>;
}

export interface SmsMessenger {
  /**
   * Writes and sends an SMS unless one with this key was sent before; false then.
   *
   * A process that dies in the instant between acceptance and its record sends it again, under the same id.
   * @throws {SmsRejectedError | SmsUnavailableError} the key is free again
   */
  send<Name extends SmsTextName>(message: SmsMessage<Name>): Promise<boolean>;
}

/** 128 bits, which tell nothing of the key. */
const idOf = (key: string): string => createHash('sha256').update(key).digest('hex').slice(0, 32);

export const createSmsMessenger = (provider: SmsProvider, deliveries: Deliveries): SmsMessenger => ({
  send: ({ key, to, locale, text, params }) => {
    const id = idOf(key);
    const write = SMS_TEXTS[text][locale] as (params: unknown) => string;
    return deliveries.once(key, id, () => provider.send({ to, text: write(params), id }));
  },
});
