import { type MailTemplate, note, paragraph } from './content';

/** After a change of the address, to both. Only the old one is told what to do: it can reset nothing any more. */
export const emailChanged: MailTemplate<{ readonly isOld: boolean }> = {
  en: ({ isOld }) => ({
    subject: 'The e-mail address of your Meqenet account was changed',
    greeting: 'Hello,',
    blocks: [
      paragraph(
        isOld
          ? 'Your Meqenet account has another e-mail address now, and this one works for it no longer. Other devices have been logged out.'
          : 'This e-mail address now belongs to your Meqenet account: use it to log in. Other devices have been logged out.',
      ),
      paragraph(
        isOld
          ? 'If it was not you, call our customer service at once and ask them to lock the account. Have your Fayda ID at hand.'
          : 'If it was you, there is nothing to do. If it was not, tell our customer service.',
      ),
      note('Never give your password or a verification code to anyone. Our staff will never ask you for them.'),
    ],
  }),
  am: ({ isOld }) => ({
    subject: 'የመቀነት መለያዎ የኢሜይል አድራሻ ተቀይሯል',
    greeting: 'ሰላም፣',
    blocks: [
      paragraph(
        isOld
          ? 'የመቀነት መለያዎ አሁን ሌላ የኢሜይል አድራሻ አለው፤ ይህ አድራሻ ከዚህ በኋላ ለመለያው አያገለግልም። ሌሎች መሣሪያዎች ከመለያዎ ወጥተዋል።'
          : 'ይህ የኢሜይል አድራሻ አሁን የመቀነት መለያዎ ነው፤ ለመግባት ይጠቀሙበት። ሌሎች መሣሪያዎች ከመለያዎ ወጥተዋል።',
      ),
      paragraph(
        isOld
          ? 'የቀየሩት እርስዎ ካልሆኑ አሁኑኑ ለደንበኞች አገልግሎታችን ይደውሉና መለያው እንዲቆለፍ ይጠይቁ። የፋይዳ ቁጥርዎን ያዘጋጁ።'
          : 'የቀየሩት እርስዎ ከሆኑ ምንም ማድረግ አያስፈልግዎትም። ካልሆኑ ለደንበኞች አገልግሎታችን ያሳውቁ።',
      ),
      note('የይለፍ ቃልዎን ወይም የማረጋገጫ ኮድ ለማንም አይስጡ። ሠራተኞቻችን እነዚህን በጭራሽ አይጠይቁዎትም።'),
    ],
  }),
};
