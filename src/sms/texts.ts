import type { Locale } from '../contracts/locale';

const MINUTE_MS = 60_000;
const minutesOf = (milliseconds: number): string => String(Math.max(1, Math.floor(milliseconds / MINUTE_MS)));

interface CodeParams {
  readonly code: string;
  /** Milliseconds. */
  readonly validForMs: number;
}

/** Every SMS in every language. Short: 160 Latin letters, or 70 others, are one SMS to pay. */
export const SMS_TEXTS = {
  'phone-code': {
    en: ({ code, validForMs }: CodeParams) =>
      `${code} is your Meqenet code. It expires in ${minutesOf(validForMs)} min. Never share it with anyone, not even with our staff.`,
    am: ({ code, validForMs }: CodeParams) => `የመቀነት ኮድዎ ${code} ነው። በ${minutesOf(validForMs)} ደቂቃ ያበቃል። ለማንም አይስጡ።`,
  },
  /** To the owner of a number that somebody else tried to add to their own account; that somebody is told nothing. */
  'phone-taken': {
    en: () => 'Someone asked Meqenet to move this number to another account. Nothing was changed.',
    am: () => 'አንድ ሰው ይህን ቁጥር ወደ ሌላ የመቀነት መለያ ለማዛወር ጠይቋል። ምንም አልተቀየረም።',
  },
  'recovery-requested': {
    en: () =>
      'Someone asked to turn off two-step login of your Meqenet account. If it was not you, stop it by the link in our e-mail and change your password.',
    am: () => 'የመቀነት መለያዎን ባለ ሁለት ደረጃ መግቢያ ለማጥፋት ተጠይቋል። እርስዎ ካልሆኑ በኢሜይላችን ያስቁሙት።',
  },
  'recovery-ready': {
    en: () =>
      'Two-step login of your Meqenet account is about to be turned off. If it was not you, stop it by the link in our e-mail at once.',
    am: () => 'የመቀነት ባለ ሁለት ደረጃ መግቢያዎ ሊጠፋ ነው። እርስዎ ካልሆኑ አሁኑኑ በኢሜይላችን ያስቁሙት።',
  },
  'recovery-completed': {
    en: () =>
      'Two-step login of your Meqenet account was turned off and every device is logged out. If it was not you, call our customer service at once.',
    am: () => 'የመቀነት ባለ ሁለት ደረጃ መግቢያዎ ጠፍቷል። እርስዎ ካልሆኑ ለደንበኞች አገልግሎት ይደውሉ።',
  },
  'recovery-ended': {
    en: () => 'The request to turn off two-step login of your Meqenet account has ended. Nothing was changed.',
    am: () => 'የመቀነት ባለ ሁለት ደረጃ መግቢያዎን ለማጥፋት የቀረበው ጥያቄ አብቅቷል። ምንም አልተቀየረም።',
  },
  'phone-changed-old': {
    en: () =>
      'This number was removed from your Meqenet account, which has another one now. If it was not you, call our customer service at once.',
    am: () => 'የመቀነት መለያዎ ስልክ ቁጥር ተቀይሯል። እርስዎ ካልሆኑ አሁኑኑ ለደንበኞች አገልግሎት ይደውሉ።',
  },
  'phone-changed-new': {
    en: () => 'This number now belongs to your Meqenet account. For your safety some actions have to wait for a while.',
    am: () => 'ይህ ቁጥር አሁን የመቀነት መለያዎ ነው። ለደህንነትዎ አንዳንድ ተግባራት ለጥቂት ጊዜ ይቆያሉ።',
  },
} as const;

export type SmsTextName = keyof typeof SMS_TEXTS;
export type SmsTextParams<Name extends SmsTextName> = Parameters<(typeof SMS_TEXTS)[Name][Locale]>[0];
