import { type MailTemplate, note, paragraph } from './content';
import { timeSpan } from './time-span';

/** To the owner: somebody asked for a copy of everything, and can download it. */
export const dataExported: MailTemplate<{ readonly validForMs: number }> = {
  en: ({ validForMs }) => ({
    subject: 'A copy of your Meqenet data is ready',
    greeting: 'Hello,',
    blocks: [
      paragraph(
        `The copy of your data that was asked for is ready. It can be downloaded in your account for ${timeSpan(validForMs, 'en')}.`,
      ),
      paragraph(
        'If you did not ask for it, log out every device and change your password at once: somebody else has used your account.',
      ),
      note('We never send the copy itself by mail. Our staff will never ask you for it.'),
    ],
  }),
  am: ({ validForMs }) => ({
    subject: 'የመቀነት መረጃዎ ቅጂ ተዘጋጅቷል',
    greeting: 'ሰላም፣',
    blocks: [
      paragraph(`የጠየቁት የመረጃዎ ቅጂ ተዘጋጅቷል። ለ${timeSpan(validForMs, 'am')} ከመለያዎ ማውረድ ይችላሉ።`),
      paragraph('የጠየቁት እርስዎ ካልሆኑ ሁሉንም መሣሪያዎች ከመለያው ያስወጡና የይለፍ ቃልዎን አሁኑኑ ይቀይሩ፤ ሌላ ሰው መለያዎን ተጠቅሟል።'),
      note('ቅጂውን በኢሜይል በጭራሽ አንልክም። ሠራተኞቻችንም በጭራሽ አይጠይቁዎትም።'),
    ],
  }),
};
