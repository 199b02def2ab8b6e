import { type MailTemplate, note, paragraph } from './content';

/** After an old refresh token was shown again: somebody may have copied it, so the session was ended for everybody. */
export const sessionReuseDetected: MailTemplate<Record<string, never>> = {
  en: () => ({
    subject: 'We ended a session of your Meqenet account',
    greeting: 'Hello,',
    blocks: [
      paragraph(
        'One of your devices was logged out, because a key of its session was used a second time. Somebody may have copied it.',
      ),
      paragraph('Log in again on your device. If you did not expect this, change your password as well.'),
      paragraph(
        'If you see a device that you do not know in your list of devices, log it out and tell our customer service.',
      ),
      note('Never give your password or a verification code to anyone. Our staff will never ask you for them.'),
    ],
  }),
  am: () => ({
    subject: 'የመቀነት መለያዎን አንድ መግቢያ ዘግተናል',
    greeting: 'ሰላም፣',
    blocks: [
      paragraph('የአንዱ መሣሪያዎ የመግቢያ ቁልፍ ለሁለተኛ ጊዜ ጥቅም ላይ ስለዋለ መሣሪያው ከመለያዎ ወጥቷል። ቁልፉን ሌላ ሰው ቀድቶት ሊሆን ይችላል።'),
      paragraph('በመሣሪያዎ እንደገና ይግቡ። ይህን ካልጠበቁ የይለፍ ቃልዎንም ይቀይሩ።'),
      paragraph('በመሣሪያዎች ዝርዝር ውስጥ የማያውቁት መሣሪያ ካዩ ያስወጡት፤ ለደንበኞች አገልግሎታችንም ያሳውቁ።'),
      note('የይለፍ ቃልዎን ወይም የማረጋገጫ ኮድ ለማንም አይስጡ። ሠራተኞቻችን እነዚህን በጭራሽ አይጠይቁዎትም።'),
    ],
  }),
};
