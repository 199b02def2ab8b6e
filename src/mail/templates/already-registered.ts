import { type MailTemplate, note, paragraph } from './content';

/** Tells the owner of an address that somebody tried to register with it. The one who tried sees no difference. */
export const alreadyRegistered: MailTemplate<Record<string, never>> = {
  en: () => ({
    subject: 'You already have a Meqenet account',
    greeting: 'Hello,',
    blocks: [
      paragraph(
        'Someone, perhaps you, tried to register at Meqenet with this e-mail address. You already have an account, so no new one was opened and nothing was changed.',
      ),
      paragraph('If it was you, log in with your password, or reset the password if you have forgotten it.'),
      note('If it was not you, there is nothing to do: your account is safe.'),
    ],
  }),
  am: () => ({
    subject: 'ቀደም ሲል የተከፈተ የመቀነት መለያ አለዎት',
    greeting: 'ሰላም፣',
    blocks: [
      paragraph(
        'አንድ ሰው፣ ምናልባትም እርስዎ ራስዎ፣ በዚህ የኢሜይል አድራሻ በመቀነት ለመመዝገብ ሞክሯል። ቀደም ሲል የተከፈተ መለያ ስላለዎት አዲስ መለያ አልተከፈተም፤ የተቀየረ ነገርም የለም።',
      ),
      paragraph('የሞከሩት እርስዎ ከሆኑ በይለፍ ቃልዎ ይግቡ፤ የይለፍ ቃልዎን ከረሱት ደግሞ ዳግም ያስጀምሩት።'),
      note('እርስዎ ካልሆኑ ምንም ማድረግ አያስፈልግዎትም፤ የመለያዎ ደህንነት የተጠበቀ ነው።'),
    ],
  }),
};
