import { type MailTemplate, note, paragraph } from './content';
import { timeSpan } from './time-span';

export interface VerificationCodeParams {
  /** Six digits. */
  readonly code: string;
  /** Opens the page that verifies; its fragment carries the registration's id and the code. */
  readonly link: string;
  readonly validForMs: number;
}

/** Confirms an address. The code stands before the link in both forms: it is the first run of six digits. */
export const verificationCode: MailTemplate<VerificationCodeParams> = {
  en: ({ code, link, validForMs }) => ({
    subject: 'Confirm your e-mail address for Meqenet',
    greeting: 'Hello,',
    blocks: [
      paragraph('To confirm your e-mail address and finish opening your Meqenet account, enter this code:'),
      { kind: 'code', code },
      { kind: 'link', intro: 'Or open this link:', label: 'Confirm my e-mail address', url: link },
      paragraph(`The code and the link expire in ${timeSpan(validForMs, 'en')}.`),
      note('Share this code with nobody. Our staff will never ask you for it.'),
      note('If you did not ask for this, ignore this e-mail: no account will be opened without the code.'),
    ],
  }),
  am: ({ code, link, validForMs }) => ({
    subject: 'ለመቀነት የኢሜይል አድራሻዎን ያረጋግጡ',
    greeting: 'ሰላም፣',
    blocks: [
      paragraph('የኢሜይል አድራሻዎን ለማረጋገጥና የመቀነት መለያዎን ከፍተው ለመጨረስ ይህን ኮድ ያስገቡ፦'),
      { kind: 'code', code },
      { kind: 'link', intro: 'ወይም ይህን አገናኝ ይክፈቱ፦', label: 'የኢሜይል አድራሻዬን አረጋግጥ', url: link },
      paragraph(`ኮዱና አገናኙ የሚያገለግሉት ለ${timeSpan(validForMs, 'am')} ብቻ ነው።`),
      note('ይህን ኮድ ለማንም አይስጡ። ሠራተኞቻችን ኮዱን በጭራሽ አይጠይቁዎትም።'),
      note('ይህን ጥያቄ ያቀረቡት እርስዎ ካልሆኑ ይህን ኢሜይል ችላ ይበሉት፤ ያለ ኮዱ መለያ አይከፈትም።'),
    ],
  }),
};
