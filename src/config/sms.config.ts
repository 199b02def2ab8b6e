import { z } from 'zod';

import { duration, integer, optionalChoice, optionalHttpUrl, optionalSecret, reloadable } from './fields';

export const SMS_PROVIDERS = ['none', 'development', 'http'] as const;

export const smsEnv = z.object({
  SMS_PROVIDER: optionalChoice(
    SMS_PROVIDERS,
    'Who sends SMS: none refuses whatever needs them, development mails each to <digits>@sms.invalid over SMTP (refused in production), ' +
      'http posts each to SMS_HTTP_URL; without it none in production and development elsewhere',
  ),
  SMS_DAILY_LIMIT: integer(10_000, 1, 10_000_000, 'SMS with codes in 24 hours, over all people (SMS pumping)'),
});

/** Whether SMS are sent, and how many. */
export const toSmsConfig = (env: z.output<typeof smsEnv> & { readonly NODE_ENV: string }) => ({
  provider: env.SMS_PROVIDER ?? (env.NODE_ENV === 'production' ? 'none' : 'development'),
  dailyLimit: env.SMS_DAILY_LIMIT,
});
export type SmsConfig = ReturnType<typeof toSmsConfig>;

/** Of whoever sends them. */
export const smsHttpEnv = z.object({
  SMS_HTTP_URL: optionalHttpUrl('Gateway that takes each SMS as a JSON POST; https in production'),
  SMS_HTTP_TOKEN: reloadable(optionalSecret('Bearer token of the gateway')),
  SMS_HTTP_TIMEOUT: duration('5s', 'A gateway without an answer after this time is asked again later'),
});

/** How SMS are sent. Times are milliseconds. */
export const toSmsHttpConfig = (env: z.output<typeof smsHttpEnv>) => ({
  url: env.SMS_HTTP_URL,
  token: env.SMS_HTTP_TOKEN,
  timeoutMs: env.SMS_HTTP_TIMEOUT,
});
export type SmsHttpConfig = ReturnType<typeof toSmsHttpConfig>;

/** What is missing for the provider that was chosen. */
export const smsProblems = (values: Readonly<Record<string, string>>, unreadable: ReadonlySet<string>): string[] =>
  values['SMS_PROVIDER'] === 'http'
    ? ['SMS_HTTP_URL', 'SMS_HTTP_TOKEN']
        .filter((name) => values[name] === undefined && !unreadable.has(name))
        .map((name) => `${name}: is required with SMS_PROVIDER=http`)
    : [];
