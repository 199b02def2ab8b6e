import { type MailTemplate, note, paragraph } from './content';

/** After a second factor was removed. */
export const mfaDisabled: MailTemplate<Record<string, never>> = {
  en: () => ({
    subject: 'Two-step login was turned off for your Meqenet account',
    greeting: 'Hello,',
    blocks: [
      paragraph('The authenticator app of your Meqenet account was removed. A login no longer asks for its code.'),
      paragraph('If it was you, there is nothing to do.'),
      paragraph('If it was not you, reset your password at once and tell our customer service.'),
      note('Never give your password, a code or a recovery code to anyone. Our staff will never ask you for them.'),
    ],
  }),
  am: () => ({
    subject: 'ለመቀነት መለያዎ ባለ ሁለት ደረጃ መግቢያ ጠፍቷል',
    greeting: 'ሰላም፣',
    blocks: [
      paragraph('የመቀነት መለያዎ የማረጋገጫ መተግበሪያ ተወግዷል። ከአሁን በኋላ ሲገቡ የመተግበሪያው ኮድ አይጠየቅም።'),
      paragraph('ያስወገዱት እርስዎ ከሆኑ ምንም ማድረግ አያስፈልግዎትም።'),
      paragraph('እርስዎ ካልሆኑ የይለፍ ቃልዎን አሁኑኑ ዳግም ያስጀምሩት፤ ከዚያም ለደንበኞች አገልግሎታችን ያሳውቁ።'),
      note('የይለፍ ቃልዎን፣ ኮድ ወይም የመጠባበቂያ ኮድ ለማንም አይስጡ። ሠራተኞቻችን እነዚህን በጭራሽ አይጠይቁዎትም።'),
    ],
  }),
};
