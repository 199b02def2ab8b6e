import { type MailTemplate, note, paragraph } from './content';
import { timeSpan } from './time-span';

/** To the new address: the code that proves it. */
export const emailChangeCode: MailTemplate<{ readonly code: string; readonly validForMs: number }> = {
  en: ({ code, validForMs }) => ({
    subject: 'Confirm your new e-mail address for Meqenet',
    greeting: 'Hello,',
    blocks: [
      paragraph(
        'To use this e-mail address for your Meqenet account from now on, enter this code where you asked for it:',
      ),
      { kind: 'code', code },
      paragraph(`The code expires in ${timeSpan(validForMs, 'en')}.`),
      note('Share this code with nobody. Our staff will never ask you for it.'),
      note('If you did not ask for this, ignore this e-mail: nothing happens without the code.'),
    ],
  }),
  am: ({ code, validForMs }) => ({
    subject: 'ለመቀነት አዲሱን የኢሜይል አድራሻዎን ያረጋግጡ',
    greeting: 'ሰላም፣',
    blocks: [
      paragraph('ይህን የኢሜይል አድራሻ ከአሁን በኋላ ለመቀነት መለያዎ ለመጠቀም፣ ጥያቄውን ባቀረቡበት ቦታ ይህን ኮድ ያስገቡ፦'),
      { kind: 'code', code },
      paragraph(`ኮዱ የሚያገለግለው ለ${timeSpan(validForMs, 'am')} ብቻ ነው።`),
      note('ይህን ኮድ ለማንም አይስጡ። ሠራተኞቻችን ኮዱን በጭራሽ አይጠይቁዎትም።'),
      note('ይህን ጥያቄ ያቀረቡት እርስዎ ካልሆኑ ይህን ኢሜይል ችላ ይበሉት፤ ያለ ኮዱ ምንም አይቀየርም።'),
    ],
  }),
};
