import { type MailTemplate, note, paragraph } from './content';

const leftInEnglish = (left: number): string =>
  left === 1 ? '1 recovery code is left' : `${String(left)} recovery codes are left`;

/** After a recovery code was shown in the stead of a second factor. */
export const recoveryCodeUsed: MailTemplate<{ readonly codesLeft: number }> = {
  en: ({ codesLeft }) => ({
    subject: 'A recovery code of your Meqenet account was used',
    greeting: 'Hello,',
    blocks: [
      paragraph(
        `A recovery code was just used for your Meqenet account. It works no more; ${leftInEnglish(codesLeft)}.`,
      ),
      paragraph('If it was you and you have lost your second step, set up a new one, and make new recovery codes.'),
      paragraph('If it was not you, reset your password at once and tell our customer service.'),
      note('Never give your password, a code or a recovery code to anyone. Our staff will never ask you for them.'),
    ],
  }),
  am: ({ codesLeft }) => ({
    subject: 'የመቀነት መለያዎ የመጠባበቂያ ኮድ ጥቅም ላይ ውሏል',
    greeting: 'ሰላም፣',
    blocks: [
      paragraph(
        `ለመቀነት መለያዎ የመጠባበቂያ ኮድ አሁን ጥቅም ላይ ውሏል። ይህ ኮድ ከአሁን በኋላ አይሠራም፤ የቀሩት የመጠባበቂያ ኮዶች ብዛት ${String(codesLeft)} ነው።`,
      ),
      paragraph('የተጠቀሙት እርስዎ ከሆኑና ሁለተኛው የማረጋገጫ መንገድ ከጠፋብዎት አዲስ ያዘጋጁ፤ አዲስ የመጠባበቂያ ኮዶችም ያውጡ።'),
      paragraph('እርስዎ ካልሆኑ የይለፍ ቃልዎን አሁኑኑ ዳግም ያስጀምሩት፤ ከዚያም ለደንበኞች አገልግሎታችን ያሳውቁ።'),
      note('የይለፍ ቃልዎን፣ ኮድ ወይም የመጠባበቂያ ኮድ ለማንም አይስጡ። ሠራተኞቻችን እነዚህን በጭራሽ አይጠይቁዎትም።'),
    ],
  }),
};
