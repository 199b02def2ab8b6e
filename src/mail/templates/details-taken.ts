import { type MailTemplate, note, paragraph } from './content';

/** A registration named a phone number or Fayda ID of somebody's account. Does not say which, so it tells nothing new. */
export const detailsTaken: MailTemplate<Record<string, never>> = {
  en: () => ({
    subject: 'Your Meqenet registration could not be completed',
    greeting: 'Hello,',
    blocks: [
      paragraph(
        'Some of the details given in your registration already belong to a Meqenet account, so no new account was opened. To protect the owner of that account we cannot say which details they are.',
      ),
      paragraph('If that account is yours, log in to it, or reset its password if you have forgotten it.'),
      paragraph('If it is not, check the details and register again, or contact our customer support.'),
      note('If you did not try to register, ignore this e-mail.'),
    ],
  }),
  am: () => ({
    subject: 'የመቀነት ምዝገባዎ ሊጠናቀቅ አልቻለም',
    greeting: 'ሰላም፣',
    blocks: [
      paragraph(
        'በምዝገባው ላይ ከሰጧቸው መረጃዎች መካከል አንዳንዶቹ ቀደም ሲል በተከፈተ የመቀነት መለያ ላይ ተመዝግበው ስለሚገኙ አዲስ መለያ አልተከፈተም። የመለያውን ባለቤት ለመጠበቅ ሲባል የትኞቹ መረጃዎች እንደሆኑ መግለጽ አንችልም።',
      ),
      paragraph('መለያው የእርስዎ ከሆነ ወደ መለያው ይግቡ፤ የይለፍ ቃሉን ከረሱት ዳግም ያስጀምሩት።'),
      paragraph('የእርስዎ ካልሆነ መረጃዎቹን አረጋግጠው እንደገና ይመዝገቡ ወይም የደንበኞች አገልግሎታችንን ያነጋግሩ።'),
      note('ለመመዝገብ ያልሞከሩ ከሆነ ይህን ኢሜይል ችላ ይበሉት።'),
    ],
  }),
};
