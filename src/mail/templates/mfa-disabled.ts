import { type MailTemplate, note, paragraph } from './content';

/** After a second factor was removed. */
export const mfaDisabled: MailTemplate<Record<string, never>> = {
  en: () => ({
    subject: 'A second step was removed from your Meqenet account',
    greeting: 'Hello,',
    blocks: [
      paragraph('A second step of the login to your Meqenet account was removed. A login no longer accepts it.'),
      paragraph('If it was you, there is nothing to do.'),
      paragraph('If it was not you, reset your password at once and tell our customer service.'),
      note('Never give your password, a code or a recovery code to anyone. Our staff will never ask you for them.'),
    ],
  }),
  am: () => ({
    subject: 'ከመቀነት መለያዎ ሁለተኛ የማረጋገጫ መንገድ ተወግዷል',
    greeting: 'ሰላም፣',
    blocks: [
      paragraph('ከመቀነት መለያዎ መግቢያ ሁለተኛ የማረጋገጫ መንገድ ተወግዷል። ከአሁን በኋላ መግቢያው እሱን አይቀበልም።'),
      paragraph('ያስወገዱት እርስዎ ከሆኑ ምንም ማድረግ አያስፈልግዎትም።'),
      paragraph('እርስዎ ካልሆኑ የይለፍ ቃልዎን አሁኑኑ ዳግም ያስጀምሩት፤ ከዚያም ለደንበኞች አገልግሎታችን ያሳውቁ።'),
      note('የይለፍ ቃልዎን፣ ኮድ ወይም የመጠባበቂያ ኮድ ለማንም አይስጡ። ሠራተኞቻችን እነዚህን በጭራሽ አይጠይቁዎትም።'),
    ],
  }),
};
