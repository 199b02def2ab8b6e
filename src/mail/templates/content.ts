import type { Locale } from '../../contracts/locale';

/** One part of a mail's body, as plain text; the layout escapes it and gives it its form. */
export type MailBlock =
  | { readonly kind: 'paragraph'; readonly text: string }
  /** A code to be typed: large, and on a line of its own. */
  | { readonly kind: 'code'; readonly code: string }
  /** A link, as a button; `intro` leads to it where there are no buttons. */
  | { readonly kind: 'link'; readonly intro: string; readonly label: string; readonly url: string }
  /** Small print. */
  | { readonly kind: 'note'; readonly text: string };

export interface MailContent {
  readonly subject: string;
  readonly greeting: string;
  readonly blocks: readonly MailBlock[];
}

/** A mail in every language: a missing one does not compile. */
export type MailTemplate<Params> = Readonly<Record<Locale, (params: Params) => MailContent>>;

export const paragraph = (text: string): MailBlock => ({ kind: 'paragraph', text });
export const note = (text: string): MailBlock => ({ kind: 'note', text });
