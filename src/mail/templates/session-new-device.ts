import { type MailTemplate, note, paragraph } from './content';

/** After a login from a device that the account had not seen. Says nothing of where from: the list of devices does. */
export const sessionNewDevice: MailTemplate<Record<string, never>> = {
  en: () => ({
    subject: 'New device on your Meqenet account',
    greeting: 'Hello,',
    blocks: [
      paragraph('Somebody logged in to your Meqenet account from a device that had not been used with it before.'),
      paragraph('If it was you, there is nothing to do.'),
      paragraph('If it was not you, log out all devices, change your password at once and tell our customer service.'),
      note('Never give your password or a verification code to anyone. Our staff will never ask you for them.'),
    ],
  }),
  am: () => ({
    subject: 'በመቀነት መለያዎ ላይ አዲስ መሣሪያ',
    greeting: 'ሰላም፣',
    blocks: [
      paragraph('ከዚህ በፊት ጥቅም ላይ ካልዋለ መሣሪያ ወደ መቀነት መለያዎ ተገብቷል።'),
      paragraph('የገቡት እርስዎ ከሆኑ ምንም ማድረግ አያስፈልግዎትም።'),
      paragraph('እርስዎ ካልሆኑ ሁሉንም መሣሪያዎች ከመለያዎ ያስወጡ፣ የይለፍ ቃልዎን አሁኑኑ ይቀይሩ፤ ለደንበኞች አገልግሎታችንም ያሳውቁ።'),
      note('የይለፍ ቃልዎን ወይም የማረጋገጫ ኮድ ለማንም አይስጡ። ሠራተኞቻችን እነዚህን በጭራሽ አይጠይቁዎትም።'),
    ],
  }),
};
