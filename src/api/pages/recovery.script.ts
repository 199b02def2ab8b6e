import { tokenFormScript } from './link-script';
import type { PageTexts } from './page-script';

/** What both pages of an account recovery tell in the same words. */
const COMMON: PageTexts = {
  en: {
    invalid_recovery_token: 'This link does not work any more.',
    invalid_credentials: 'The password is wrong.',
  },
  am: {
    invalid_recovery_token: 'ይህ ማስፈንጠሪያ ከዚህ በኋላ አይሠራም።',
    invalid_credentials: 'የይለፍ ቃሉ ትክክል አይደለም።',
  },
};

const CANCEL: PageTexts = {
  en: {
    title: 'Stop the recovery of your account',
    hint: 'Press the button if you did not ask to turn off two-step login, or no longer need it.',
    button: 'Stop it',
    success: 'It is stopped, and nothing was changed. If you never asked for it, change your password now.',
  },
  am: {
    title: 'የመለያዎን ማስመለሻ ያስቁሙ',
    hint: 'ባለ ሁለት ደረጃ መግቢያው እንዲጠፋ ካልጠየቁ ወይም ከእንግዲህ ካላስፈለገዎት ቁልፉን ይጫኑ።',
    button: 'አስቁም',
    success: 'ቆሟል፤ ምንም አልተቀየረም። እርስዎ ጠይቀው የማያውቁ ከሆነ የይለፍ ቃልዎን አሁን ይቀይሩ።',
  },
};

const COMPLETE: PageTexts = {
  en: {
    title: 'Recover your account',
    label: 'Password',
    hint: 'Two-step login is turned off, recovery codes stop working, and every device is logged out.',
    button: 'Recover my account',
    success: 'Two-step login is off. Sign in to Meqenet with your password, and set it up again.',
  },
  am: {
    title: 'መለያዎን ያስመልሱ',
    label: 'የይለፍ ቃል',
    hint: 'ባለ ሁለት ደረጃ መግቢያው ይጠፋል፣ የመጠባበቂያ ኮዶች አይሠሩም፣ ሁሉም መሣሪያዎች ከመለያው ይወጣሉ።',
    button: 'መለያዬን አስመልስ',
    success: 'ባለ ሁለት ደረጃ መግቢያው ጠፍቷል። በይለፍ ቃልዎ ወደ መቀነት ይግቡ፤ ከዚያም እንደገና ያብሩት።',
  },
};

const both = (own: PageTexts): PageTexts => ({ en: { ...COMMON.en, ...own.en }, am: { ...COMMON.am, ...own.am } });

export const CANCEL_RECOVERY_SCRIPT = tokenFormScript('/v1/auth/mfa/recovery/cancel', both(CANCEL));
export const COMPLETE_RECOVERY_SCRIPT = tokenFormScript('/v1/auth/mfa/recovery/complete', both(COMPLETE));
