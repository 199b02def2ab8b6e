import { type MailTemplate, note, paragraph } from './content';
import { timeSpan } from './time-span';

export interface RecoveryRequestedParams {
  readonly cancelLink: string;
  /** Until the waiting period is over, milliseconds. */
  readonly availableInMs: number;
}
export interface RecoveryReadyParams {
  readonly link: string;
  readonly cancelLink: string;
  readonly validForMs: number;
}

/** At the start, and as a reminder. */
export const recoveryRequested: MailTemplate<RecoveryRequestedParams> = {
  en: ({ cancelLink, availableInMs }) => ({
    subject: 'Someone asked to turn off two-step login of your Meqenet account',
    greeting: 'Hello,',
    blocks: [
      paragraph(
        'Someone who knows the password of your Meqenet account says that every second factor and recovery code is lost, and asked to turn two-step login off.',
      ),
      paragraph(
        `It can happen in ${timeSpan(availableInMs, 'en')} at the earliest, and only after our customer service has checked who asks. If it was you, wait for their call or visit us.`,
      ),
      { kind: 'link', intro: 'If it was not you, stop it with this link:', label: 'Stop it', url: cancelLink },
      paragraph('Then change your password at once: somebody else knows it.'),
      note('Logging in with your second factor stops it too. Never give your password or a code to anyone.'),
    ],
  }),
  am: ({ cancelLink, availableInMs }) => ({
    subject: 'የመቀነት መለያዎን ባለ ሁለት ደረጃ መግቢያ ለማጥፋት ተጠይቋል',
    greeting: 'ሰላም፣',
    blocks: [
      paragraph('የመቀነት መለያዎን የይለፍ ቃል የሚያውቅ ሰው ሁሉም የማረጋገጫ መንገዶችና የመጠባበቂያ ኮዶች ጠፍተዋል በማለት ባለ ሁለት ደረጃ መግቢያው እንዲጠፋ ጠይቋል።'),
      paragraph(
        `ይህ የሚሆነው ቢፈጥን ከ${timeSpan(availableInMs, 'am')} በኋላ ሲሆን፣ የደንበኞች አገልግሎታችን የጠየቀውን ሰው ማንነት ካረጋገጠ በኋላ ብቻ ነው። የጠየቁት እርስዎ ከሆኑ ጥሪያቸውን ይጠብቁ ወይም ይጎብኙን።`,
      ),
      { kind: 'link', intro: 'እርስዎ ካልሆኑ በዚህ አገናኝ ያስቁሙት፦', label: 'አስቁም', url: cancelLink },
      paragraph('ከዚያም የይለፍ ቃልዎን አሁኑኑ ይቀይሩ፤ ሌላ ሰው ያውቀዋል።'),
      note('በማረጋገጫ መንገድዎ መግባትም ያስቆመዋል። የይለፍ ቃልዎን ወይም ኮድ ለማንም አይስጡ።'),
    ],
  }),
};

/** When it has waited and is approved. */
export const recoveryReady: MailTemplate<RecoveryReadyParams> = {
  en: ({ link, cancelLink, validForMs }) => ({
    subject: 'You can now turn off two-step login of your Meqenet account',
    greeting: 'Hello,',
    blocks: [
      paragraph('The waiting period is over, and our customer service has approved the recovery of your account.'),
      {
        kind: 'link',
        intro: 'To finish, open this link and enter your password:',
        label: 'Recover my account',
        url: link,
      },
      paragraph(`The link works once and expires in ${timeSpan(validForMs, 'en')}. Every device is logged out then.`),
      {
        kind: 'link',
        intro: 'If you did not ask for this, stop it with this link:',
        label: 'Stop it',
        url: cancelLink,
      },
      note('Share these links with nobody. Our staff will never ask you for them.'),
    ],
  }),
  am: ({ link, cancelLink, validForMs }) => ({
    subject: 'አሁን የመቀነት መለያዎን ባለ ሁለት ደረጃ መግቢያ ማጥፋት ይችላሉ',
    greeting: 'ሰላም፣',
    blocks: [
      paragraph('የመጠበቂያው ጊዜ አብቅቷል፤ የደንበኞች አገልግሎታችንም የመለያዎን ማስመለሻ አጽድቋል።'),
      { kind: 'link', intro: 'ለመጨረስ ይህን አገናኝ ከፍተው የይለፍ ቃልዎን ያስገቡ፦', label: 'መለያዬን አስመልስ', url: link },
      paragraph(`አገናኙ የሚሠራው አንድ ጊዜ ብቻ ሲሆን የሚያገለግለውም ለ${timeSpan(validForMs, 'am')} ነው። ያኔ ሁሉም መሣሪያዎች ከመለያው ይወጣሉ።`),
      { kind: 'link', intro: 'ይህን የጠየቁት እርስዎ ካልሆኑ በዚህ አገናኝ ያስቁሙት፦', label: 'አስቁም', url: cancelLink },
      note('እነዚህን አገናኞች ለማንም አይስጡ። ሠራተኞቻችን በጭራሽ አይጠይቁዎትም።'),
    ],
  }),
};

/** Cancelled, denied or expired. */
export const recoveryEnded: MailTemplate<Record<string, never>> = {
  en: () => ({
    subject: 'The recovery of your Meqenet account has ended',
    greeting: 'Hello,',
    blocks: [
      paragraph('The request to turn off two-step login of your Meqenet account has ended. Nothing was changed.'),
      paragraph('If you still need a way back into your account, log in and ask for it again after a while.'),
      paragraph('If you never asked for it, change your password: somebody else knows it.'),
      note('Never give your password, a code or a recovery code to anyone. Our staff will never ask you for them.'),
    ],
  }),
  am: () => ({
    subject: 'የመቀነት መለያዎ ማስመለሻ ሂደት አብቅቷል',
    greeting: 'ሰላም፣',
    blocks: [
      paragraph('የመቀነት መለያዎን ባለ ሁለት ደረጃ መግቢያ ለማጥፋት የቀረበው ጥያቄ አብቅቷል። ምንም አልተቀየረም።'),
      paragraph('አሁንም ወደ መለያዎ የሚመለሱበት መንገድ ከፈለጉ ከጥቂት ጊዜ በኋላ በመግባት እንደገና ይጠይቁ።'),
      paragraph('እርስዎ ጠይቀው የማያውቁ ከሆነ የይለፍ ቃልዎን ይቀይሩ፤ ሌላ ሰው ያውቀዋል።'),
      note('የይለፍ ቃልዎን፣ ኮድ ወይም የመጠባበቂያ ኮድ ለማንም አይስጡ። ሠራተኞቻችን እነዚህን በጭራሽ አይጠይቁዎትም።'),
    ],
  }),
};
