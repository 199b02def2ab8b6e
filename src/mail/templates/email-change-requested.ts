import { type MailTemplate, note, paragraph } from './content';

/** To the old address, while there is still time to act. Does not name the new one: it may be a stranger's, or a typing error. */
export const emailChangeRequested: MailTemplate<Record<string, never>> = {
  en: () => ({
    subject: 'Someone asked to change the e-mail address of your Meqenet account',
    greeting: 'Hello,',
    blocks: [
      paragraph(
        'Someone who knows the password of your Meqenet account asked to change its e-mail address. It is changed as soon as the code sent to the new address is entered.',
      ),
      paragraph('If it was you, there is nothing to do here.'),
      paragraph(
        'If it was not you, change your password at once: that logs out all other devices. You can still reset it with this address now.',
      ),
      note('Never give your password or a verification code to anyone. Our staff will never ask you for them.'),
    ],
  }),
  am: () => ({
    subject: 'የመቀነት መለያዎን የኢሜይል አድራሻ ለመቀየር ተጠይቋል',
    greeting: 'ሰላም፣',
    blocks: [
      paragraph('የመቀነት መለያዎን የይለፍ ቃል የሚያውቅ ሰው የመለያውን የኢሜይል አድራሻ ለመቀየር ጠይቋል። ወደ አዲሱ አድራሻ የተላከው ኮድ እንደገባ አድራሻው ይቀየራል።'),
      paragraph('የጠየቁት እርስዎ ከሆኑ እዚህ ምንም ማድረግ አያስፈልግዎትም።'),
      paragraph(
        'እርስዎ ካልሆኑ የይለፍ ቃልዎን አሁኑኑ ይቀይሩ፤ ይህም ሌሎች መሣሪያዎችን በሙሉ ከመለያዎ ያስወጣል። አሁንም በዚህ አድራሻ የይለፍ ቃልዎን ዳግም ማስጀመር ይችላሉ።',
      ),
      note('የይለፍ ቃልዎን ወይም የማረጋገጫ ኮድ ለማንም አይስጡ። ሠራተኞቻችን እነዚህን በጭራሽ አይጠይቁዎትም።'),
    ],
  }),
};
