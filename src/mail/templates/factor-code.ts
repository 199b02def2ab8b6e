import { type MailTemplate, note, paragraph } from './content';
import { timeSpan } from './time-span';

/** The code of a second factor: of a login, of a step-up, or while it is set up. */
export const factorCode: MailTemplate<{ readonly code: string; readonly validForMs: number }> = {
  en: ({ code, validForMs }) => ({
    subject: 'Your Meqenet security code',
    greeting: 'Hello,',
    blocks: [
      paragraph('Enter this code where you were asked for it:'),
      { kind: 'code', code },
      paragraph(`The code works once and expires in ${timeSpan(validForMs, 'en')}.`),
      note('Share this code with nobody. Our staff will never ask you for it.'),
      note('If you are not logging in right now, somebody knows your password: change it at once.'),
    ],
  }),
  am: ({ code, validForMs }) => ({
    subject: 'የመቀነት የደህንነት ኮድዎ',
    greeting: 'ሰላም፣',
    blocks: [
      paragraph('ኮድ በተጠየቁበት ቦታ ይህን ኮድ ያስገቡ፦'),
      { kind: 'code', code },
      paragraph(`ኮዱ የሚሠራው አንድ ጊዜ ሲሆን የሚያገለግለው ለ${timeSpan(validForMs, 'am')} ብቻ ነው።`),
      note('ይህን ኮድ ለማንም አይስጡ። ሠራተኞቻችን ኮዱን በጭራሽ አይጠይቁዎትም።'),
      note('አሁን እየገቡ ያሉት እርስዎ ካልሆኑ ሌላ ሰው የይለፍ ቃልዎን ያውቃል፤ አሁኑኑ ይቀይሩት።'),
    ],
  }),
};
