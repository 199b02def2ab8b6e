import { type MailTemplate, note, paragraph } from './content';

export interface WelcomeParams {
  readonly firstName?: string | undefined;
}

/** After a verified registration. */
export const welcome: MailTemplate<WelcomeParams> = {
  en: ({ firstName }) => ({
    subject: 'Welcome to Meqenet',
    greeting: firstName === undefined ? 'Hello,' : `Hello ${firstName},`,
    blocks: [
      paragraph('Your e-mail address is confirmed and your Meqenet account is open. You can log in now.'),
      paragraph('To protect your account, turn on two-step verification in its settings.'),
      note('Never give your password or a verification code to anyone. Our staff will never ask you for them.'),
    ],
  }),
  am: ({ firstName }) => ({
    subject: 'እንኳን ወደ መቀነት በደህና መጡ',
    greeting: firstName === undefined ? 'ሰላም፣' : `ሰላም ${firstName}፣`,
    blocks: [
      paragraph('የኢሜይል አድራሻዎ ተረጋግጧል፤ የመቀነት መለያዎም ተከፍቷል። አሁን መግባት ይችላሉ።'),
      paragraph('መለያዎን ለመጠበቅ በመለያዎ ቅንብሮች ውስጥ ባለሁለት ደረጃ ማረጋገጫን ያብሩ።'),
      note('የይለፍ ቃልዎን ወይም የማረጋገጫ ኮድ ለማንም አይስጡ። ሠራተኞቻችን እነዚህን በጭራሽ አይጠይቁዎትም።'),
    ],
  }),
};
