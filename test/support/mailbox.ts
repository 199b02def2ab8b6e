import { eventually } from './eventually';

/** A mail as the catcher's JSON API shows it. */
export interface CaughtMail {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly messageId: string;
  readonly to: readonly { readonly address: string }[];
  readonly headers: Readonly<Record<string, unknown>>;
}

/** Reads what the mail catcher has caught. */
export const createMailbox = (mailUrl: string) => {
  const read = async (filter = ''): Promise<CaughtMail[]> => {
    const response = await fetch(`${mailUrl}/api/email${filter}`);
    return (await response.json()) as CaughtMail[];
  };
  const all = () => read();
  const to = async (address: string, subject = /./): Promise<CaughtMail[]> =>
    (await read(`?to.address=${encodeURIComponent(address)}`)).filter((mail) => subject.test(mail.subject));

  return {
    all,
    to,
    waitFor: (address: string, subject: RegExp, count = 1, timeoutMs?: number): Promise<CaughtMail[]> =>
      eventually(
        `${String(count)} mail(s) ${String(subject)} to ${address}`,
        async () => {
          const mails = await to(address, subject);
          return mails.length >= count && mails;
        },
        timeoutMs,
      ),
  };
};
export type Mailbox = ReturnType<typeof createMailbox>;

/** The code of a verification mail: its only run of six digits. */
export const codeIn = (mail: CaughtMail | undefined): string => {
  const code = /^\d{6}$/m.exec(mail?.text ?? '')?.[0];
  if (code === undefined) throw new Error('The mail has no code');
  return code;
};
