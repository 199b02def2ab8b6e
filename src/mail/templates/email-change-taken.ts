import { type MailTemplate, note, paragraph } from './content';

/** To the owner of an address that somebody tried to give to another account. The one who tried sees no difference. */
export const emailChangeTaken: MailTemplate<Record<string, never>> = {
  en: () => ({
    subject: 'Your e-mail address stays with your Meqenet account',
    greeting: 'Hello,',
    blocks: [
      paragraph(
        'Someone, perhaps you, asked to use this e-mail address for another Meqenet account. It belongs to your account, so nothing was changed.',
      ),
      paragraph('If it was you, log in with this address, or give that other account an address of its own.'),
      note('If it was not you, there is nothing to do: your account is safe.'),
    ],
  }),
  am: () => ({
    subject: 'የኢሜይል አድራሻዎ በመቀነት መለያዎ ላይ እንዳለ ይቆያል',
    greeting: 'ሰላም፣',
    blocks: [
      paragraph('አንድ ሰው፣ ምናልባትም እርስዎ ራስዎ፣ ይህን የኢሜይል አድራሻ ለሌላ የመቀነት መለያ ለመጠቀም ጠይቋል። አድራሻው የእርስዎ መለያ ስለሆነ ምንም አልተቀየረም።'),
      paragraph('የጠየቁት እርስዎ ከሆኑ በዚህ አድራሻ ይግቡ፤ ወይም ለሌላው መለያ የራሱን አድራሻ ይስጡ።'),
      note('እርስዎ ካልሆኑ ምንም ማድረግ አያስፈልግዎትም፤ የመለያዎ ደህንነት የተጠበቀ ነው።'),
    ],
  }),
};
