import type { Locale } from '../../contracts/locale';
import type { MailBlock, MailContent } from './content';

export interface RenderedMail {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

const BRAND: Record<Locale, string> = { en: 'Meqenet', am: 'መቀነት' };
const FOOTER: Record<Locale, string> = {
  en: 'This is an automatic message from Meqenet. Please do not reply to it.',
  am: 'ይህ መልእክት ከመቀነት በራስ-ሰር የተላከ ነው። እባክዎ ምላሽ አይስጡበት።',
};

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Makes text safe in HTML content and in quoted attributes. */
export const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);

/** @throws {TypeError} for a link that is not HTTP(S), such as `javascript:` */
const webUrl = (url: string): string => {
  if (!/^https?:\/\/\S+$/.test(url)) throw new TypeError('A link in a mail must be an http or https URL');
  return url;
};

const textOf = (block: MailBlock): string => {
  switch (block.kind) {
    case 'code':
      return block.code;
    case 'link':
      return `${block.intro}\n${webUrl(block.url)}`;
    case 'paragraph':
    case 'note':
      return block.text;
  }
};

// Styles are inline and the layout is a table because mail programs understand little else. Colours have letters in
// them, so that a verification code is the only run of six digits in a mail.
const TEXT = 'margin:0 0 16px;font-size:16px;line-height:1.5;color:#1f2a37;';
const SMALL = 'margin:0 0 12px;font-size:14px;line-height:1.5;color:#4b556f;';
const CODE =
  'margin:0 0 16px;padding:16px;background:#f3f4f6;border-radius:8px;text-align:center;font-family:Consolas,Menlo,monospace;' +
  'font-size:32px;font-weight:bold;letter-spacing:8px;color:#0b3d2e;';
const BUTTON =
  'display:inline-block;padding:12px 24px;background:#0b6b4f;border-radius:8px;color:#fff;font-size:16px;font-weight:bold;text-decoration:none;';

const htmlOf = (block: MailBlock): string => {
  switch (block.kind) {
    case 'paragraph':
      return `<p style="${TEXT}">${escapeHtml(block.text)}</p>`;
    case 'note':
      return `<p style="${SMALL}">${escapeHtml(block.text)}</p>`;
    case 'code':
      return `<p style="${CODE}">${escapeHtml(block.code)}</p>`;
    case 'link':
      return `<p style="margin:0 0 24px;text-align:center;"><a href="${escapeHtml(webUrl(block.url))}" style="${BUTTON}">${escapeHtml(block.label)}</a></p>`;
  }
};

/** One line, whatever was put into it: a line break would end the header. */
const oneLine = (text: string): string => text.replace(/[\p{Cc}\s]+/gu, ' ').trim();

/** Gives a mail's content its plain-text and its HTML form; escapes everything. */
export const layOut = (content: MailContent, locale: Locale): RenderedMail => {
  const subject = oneLine(content.subject);
  const text = [content.greeting, ...content.blocks.map(textOf), `-- \n${FOOTER[locale]}`].join('\n\n') + '\n';
  const html = `<!doctype html>
<html lang="${locale}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light">
<title>${escapeHtml(subject)}</title>
</head>
<body style="margin:0;padding:0;background:#eef1f4;font-family:'Noto Sans Ethiopic',Nyala,Ebrima,Kefa,Helvetica,Arial,sans-serif;">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" style="background:#eef1f4;">
<tr><td align="center" style="padding:24px 12px;">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" style="max-width:560px;background:#fff;border-radius:12px;">
<tr><td style="padding:24px 32px 0;font-size:20px;font-weight:bold;color:#0b6b4f;">${BRAND[locale]}</td></tr>
<tr><td style="padding:24px 32px 16px;">
<p style="${TEXT}">${escapeHtml(content.greeting)}</p>
${content.blocks.map(htmlOf).join('\n')}
</td></tr>
<tr><td style="padding:16px 32px 24px;border-top:1px solid #e5e7eb;font-size:12px;line-height:1.5;color:#6b728f;">${escapeHtml(FOOTER[locale])}</td></tr>
</table>
</td></tr>
</table>
</body>
</html>
`;
  return { subject, text, html };
};
