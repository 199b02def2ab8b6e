import { type MailTemplate, note, paragraph } from './content';

/** After a password was changed or reset. Says nothing of where from: it may be read by whoever took the mailbox over. */
export const passwordChanged: MailTemplate<Record<string, never>> = {
  en: () => ({
    subject: 'Your Meqenet password was changed',
    greeting: 'Hello,',
    blocks: [
      paragraph('The password of your Meqenet account was changed. Other devices have been logged out.'),
      paragraph('If it was you, there is nothing to do.'),
      paragraph('If it was not you, reset your password at once and then tell our customer service.'),
      note('Never give your password or a verification code to anyone. Our staff will never ask you for them.'),
    ],
  }),
  am: () => ({
    subject: 'የመቀነት የይለፍ ቃልዎ ተቀይሯል',
    greeting: 'ሰላም፣',
    blocks: [
      paragraph('የመቀነት መለያዎ የይለፍ ቃል ተቀይሯል። ሌሎች መሣሪያዎች ከመለያዎ ወጥተዋል።'),
      paragraph('የቀየሩት እርስዎ ከሆኑ ምንም ማድረግ አያስፈልግዎትም።'),
      paragraph('እርስዎ ካልሆኑ የይለፍ ቃልዎን አሁኑኑ ዳግም ያስጀምሩት፤ ከዚያም ለደንበኞች አገልግሎታችን ያሳውቁ።'),
      note('የይለፍ ቃልዎን ወይም የማረጋገጫ ኮድ ለማንም አይስጡ። ሠራተኞቻችን እነዚህን በጭራሽ አይጠይቁዎትም።'),
    ],
  }),
};
