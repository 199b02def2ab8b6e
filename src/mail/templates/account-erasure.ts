import { type MailTemplate, note, paragraph } from './content';
import { timeSpan } from './time-span';

export interface ErasureRequestedParams {
  /** Until the account is erased, milliseconds. */
  readonly erasedInMs: number;
}

/** At the start, and as a reminder. */
export const erasureRequested: MailTemplate<ErasureRequestedParams> = {
  en: ({ erasedInMs }) => ({
    subject: 'Your Meqenet account will be erased',
    greeting: 'Hello,',
    blocks: [
      paragraph(`We were asked to erase your Meqenet account. It will be erased in ${timeSpan(erasedInMs, 'en')}.`),
      paragraph(
        'Until then you can take it back: log in and choose to keep your account. After that nobody can bring it back.',
      ),
      paragraph(
        'If you did not ask for this, log in, keep your account, and change your password at once: somebody else knows it.',
      ),
      note('Never give your password, a code or a recovery code to anyone. Our staff will never ask you for them.'),
    ],
  }),
  am: ({ erasedInMs }) => ({
    subject: 'የመቀነት መለያዎ ሊጠፋ ነው',
    greeting: 'ሰላም፣',
    blocks: [
      paragraph(`የመቀነት መለያዎ እንዲጠፋ ተጠይቋል። መለያው ከ${timeSpan(erasedInMs, 'am')} በኋላ ይጠፋል።`),
      paragraph('እስከዚያ ድረስ ሐሳብዎን መቀየር ይችላሉ፤ ይግቡና መለያዎን ለማቆየት ይምረጡ። ከዚያ በኋላ ማንም ሊመልሰው አይችልም።'),
      paragraph('ይህን የጠየቁት እርስዎ ካልሆኑ ይግቡ፣ መለያዎን ያቆዩ፤ የይለፍ ቃልዎንም አሁኑኑ ይቀይሩ፤ ሌላ ሰው ያውቀዋል።'),
      note('የይለፍ ቃልዎን፣ ኮድ ወይም የመጠባበቂያ ኮድ ለማንም አይስጡ። ሠራተኞቻችን እነዚህን በጭራሽ አይጠይቁዎትም።'),
    ],
  }),
};

export const erasureCancelled: MailTemplate<Record<string, never>> = {
  en: () => ({
    subject: 'Your Meqenet account stays',
    greeting: 'Hello,',
    blocks: [
      paragraph('The erasure of your Meqenet account was taken back. Nothing was changed.'),
      paragraph('If it was not you who took it back, change your password at once: somebody else knows it.'),
      note('Never give your password, a code or a recovery code to anyone. Our staff will never ask you for them.'),
    ],
  }),
  am: () => ({
    subject: 'የመቀነት መለያዎ ይቆያል',
    greeting: 'ሰላም፣',
    blocks: [
      paragraph('የመቀነት መለያዎን ለማጥፋት የቀረበው ጥያቄ ተሰርዟል። ምንም አልተቀየረም።'),
      paragraph('የሰረዙት እርስዎ ካልሆኑ የይለፍ ቃልዎን አሁኑኑ ይቀይሩ፤ ሌላ ሰው ያውቀዋል።'),
      note('የይለፍ ቃልዎን፣ ኮድ ወይም የመጠባበቂያ ኮድ ለማንም አይስጡ። ሠራተኞቻችን እነዚህን በጭራሽ አይጠይቁዎትም።'),
    ],
  }),
};

/** The last message: there is no address after it. */
export const erasing: MailTemplate<Record<string, never>> = {
  en: () => ({
    subject: 'Your Meqenet account is being erased',
    greeting: 'Hello,',
    blocks: [
      paragraph(
        'The time to take it back is over: your Meqenet account is closed, and all that it holds is being erased now.',
      ),
      paragraph('This is our last message to you. You can register again at any time.'),
    ],
  }),
  am: () => ({
    subject: 'የመቀነት መለያዎ እየጠፋ ነው',
    greeting: 'ሰላም፣',
    blocks: [
      paragraph('ሐሳብ የመቀየሪያው ጊዜ አብቅቷል፤ የመቀነት መለያዎ ተዘግቷል፣ በውስጡ ያለው መረጃ በሙሉም አሁን እየጠፋ ነው።'),
      paragraph('ይህ የመጨረሻው መልእክታችን ነው። በማንኛውም ጊዜ እንደገና መመዝገብ ይችላሉ።'),
    ],
  }),
};
