import { type MailTemplate, paragraph } from './content';

/** To the owner of an account whose phone was never proven, after somebody else has proven that the number is theirs. */
export const phoneReleased: MailTemplate<Record<string, never>> = {
  en: () => ({
    subject: 'A phone number was removed from your Meqenet account',
    greeting: 'Hello,',
    blocks: [
      paragraph(
        'The phone number that you gave when you registered was never confirmed, and somebody else has now confirmed that it is theirs. It was removed from your account; log in with your e-mail address.',
      ),
      paragraph(
        'If the number is yours, add it to your account again and confirm it, or contact our customer service.',
      ),
    ],
  }),
  am: () => ({
    subject: 'ከመቀነት መለያዎ ላይ አንድ ስልክ ቁጥር ተወግዷል',
    greeting: 'ሰላም፣',
    blocks: [
      paragraph(
        'ሲመዘገቡ የሰጡት ስልክ ቁጥር አልተረጋገጠም ነበር፤ አሁን ሌላ ሰው ቁጥሩ የእርሱ መሆኑን አረጋግጧል። ስለዚህ ቁጥሩ ከመለያዎ ተወግዷል፤ በኢሜይል አድራሻዎ ይግቡ።',
      ),
      paragraph('ቁጥሩ የእርስዎ ከሆነ እንደገና ወደ መለያዎ ጨምረው ያረጋግጡት፤ ወይም የደንበኞች አገልግሎታችንን ያነጋግሩ።'),
    ],
  }),
};
