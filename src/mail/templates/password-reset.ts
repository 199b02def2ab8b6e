import { type MailTemplate, note, paragraph } from './content';
import { timeSpan } from './time-span';

export interface PasswordResetParams {
  /** Opens the page that sets a new password; its fragment carries the token. */
  readonly link: string;
  readonly validForMs: number;
}

/** To the owner of an account whose password was asked to be reset. */
export const passwordReset: MailTemplate<PasswordResetParams> = {
  en: ({ link, validForMs }) => ({
    subject: 'Reset your Meqenet password',
    greeting: 'Hello,',
    blocks: [
      paragraph('Someone, perhaps you, asked to reset the password of your Meqenet account.'),
      { kind: 'link', intro: 'To choose a new password, open this link:', label: 'Choose a new password', url: link },
      paragraph(`The link works once and expires in ${timeSpan(validForMs, 'en')}. A newer mail replaces it.`),
      note('Share this link with nobody. Our staff will never ask you for it.'),
      note('If you did not ask for this, ignore this e-mail: your password stays as it is.'),
    ],
  }),
  am: ({ link, validForMs }) => ({
    subject: 'የመቀነት የይለፍ ቃልዎን ዳግም ያስጀምሩ',
    greeting: 'ሰላም፣',
    blocks: [
      paragraph('አንድ ሰው፣ ምናልባትም እርስዎ ራስዎ፣ የመቀነት መለያዎን የይለፍ ቃል ዳግም ለማስጀመር ጠይቋል።'),
      { kind: 'link', intro: 'አዲስ የይለፍ ቃል ለመምረጥ ይህን አገናኝ ይክፈቱ፦', label: 'አዲስ የይለፍ ቃል ምረጥ', url: link },
      paragraph(`አገናኙ የሚሠራው አንድ ጊዜ ብቻ ሲሆን የሚያገለግለውም ለ${timeSpan(validForMs, 'am')} ነው። አዲስ ኢሜይል ከተላከ ይህ አይሠራም።`),
      note('ይህን አገናኝ ለማንም አይስጡ። ሠራተኞቻችን በጭራሽ አይጠይቁዎትም።'),
      note('ይህን ጥያቄ ያቀረቡት እርስዎ ካልሆኑ ይህን ኢሜይል ችላ ይበሉት፤ የይለፍ ቃልዎ እንዳለ ይቆያል።'),
    ],
  }),
};
