import { type MailTemplate, note, paragraph } from './content';

/** After a second factor came into force, in the stead of an older one or as the first. */
export const mfaEnabled: MailTemplate<Record<string, never>> = {
  en: () => ({
    subject: 'Two-step login is on for your Meqenet account',
    greeting: 'Hello,',
    blocks: [
      paragraph('A second step was set up for your Meqenet account. From now on a login asks for it as well.'),
      paragraph('If it was you, keep your recovery codes in a safe place; there is nothing else to do.'),
      paragraph('If it was not you, reset your password at once and tell our customer service.'),
      note('Never give your password, a code or a recovery code to anyone. Our staff will never ask you for them.'),
    ],
  }),
  am: () => ({
    subject: 'ለመቀነት መለያዎ ባለ ሁለት ደረጃ መግቢያ በርቷል',
    greeting: 'ሰላም፣',
    blocks: [
      paragraph('ለመቀነት መለያዎ ሁለተኛ የማረጋገጫ መንገድ ተዘጋጅቷል። ከአሁን በኋላ ሲገቡ እሱም ይጠየቃል።'),
      paragraph('ያዘጋጁት እርስዎ ከሆኑ የመጠባበቂያ ኮዶችዎን ደህንነቱ በተጠበቀ ቦታ ያስቀምጡ፤ ሌላ ማድረግ ያለብዎት ነገር የለም።'),
      paragraph('እርስዎ ካልሆኑ የይለፍ ቃልዎን አሁኑኑ ዳግም ያስጀምሩት፤ ከዚያም ለደንበኞች አገልግሎታችን ያሳውቁ።'),
      note('የይለፍ ቃልዎን፣ ኮድ ወይም የመጠባበቂያ ኮድ ለማንም አይስጡ። ሠራተኞቻችን እነዚህን በጭራሽ አይጠይቁዎትም።'),
    ],
  }),
};
