import { type MailTemplate, note, paragraph } from './content';

/** To the owner, after the account got another phone. Names no number: it may be read by whoever took the mailbox over. */
export const phoneChanged: MailTemplate<Record<string, never>> = {
  en: () => ({
    subject: 'The phone number of your Meqenet account was changed',
    greeting: 'Hello,',
    blocks: [
      paragraph('Your Meqenet account has a new phone number.'),
      paragraph(
        'For your safety some actions, such as payouts, have to wait for a while. If it was you, there is nothing to do.',
      ),
      paragraph('If it was not you, change your password at once and then call our customer service.'),
      note('Never give your password or a verification code to anyone. Our staff will never ask you for them.'),
    ],
  }),
  am: () => ({
    subject: 'የመቀነት መለያዎ ስልክ ቁጥር ተቀይሯል',
    greeting: 'ሰላም፣',
    blocks: [
      paragraph('የመቀነት መለያዎ አዲስ ስልክ ቁጥር አለው።'),
      paragraph('ለደህንነትዎ እንደ ክፍያ መላክ ያሉ አንዳንድ ተግባራት ለጥቂት ጊዜ ይቆያሉ። የቀየሩት እርስዎ ከሆኑ ምንም ማድረግ አያስፈልግዎትም።'),
      paragraph('እርስዎ ካልሆኑ የይለፍ ቃልዎን አሁኑኑ ይቀይሩ፤ ከዚያም ለደንበኞች አገልግሎታችን ይደውሉ።'),
      note('የይለፍ ቃልዎን ወይም የማረጋገጫ ኮድ ለማንም አይስጡ። ሠራተኞቻችን እነዚህን በጭራሽ አይጠይቁዎትም።'),
    ],
  }),
};
