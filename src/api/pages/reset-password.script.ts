import { tokenFormScript } from './link-script';
import type { PageTexts } from './page-script';

const TEXTS: PageTexts = {
  en: {
    title: 'Choose a new password',
    label: 'New password',
    hint: 'At least 8 characters. A few words that belong to nobody but you are better than one with signs.',
    button: 'Set the password',
    success: 'Your password is changed and every device is logged out. You can now sign in to Meqenet.',
    invalid_reset_token: 'This link does not work any more. Please ask for a new one and use the newest mail.',
    validation_failed: 'Please choose another password: this one ',
  },
  am: {
    title: 'አዲስ የይለፍ ቃል ይምረጡ',
    label: 'አዲስ የይለፍ ቃል',
    hint: 'ቢያንስ 8 ፊደላት። ከእርስዎ በቀር ማንም የማያውቃቸው ጥቂት ቃላት ከምልክቶች ይሻላሉ።',
    button: 'የይለፍ ቃሉን ቀይር',
    success: 'የይለፍ ቃልዎ ተቀይሯል፤ ሁሉም መሣሪያዎች ከመለያዎ ወጥተዋል። አሁን ወደ መቀነት መግባት ይችላሉ።',
    invalid_reset_token: 'ይህ ማስፈንጠሪያ ከዚህ በኋላ አይሠራም። እባክዎ አዲስ ይጠይቁ፤ የመጨረሻውን ኢሜይል ይጠቀሙ።',
    validation_failed: 'እባክዎ ሌላ የይለፍ ቃል ይምረጡ፦ ይህኛው ',
  },
};

export const RESET_PASSWORD_SCRIPT = tokenFormScript('/v1/auth/password/reset', TEXTS, 'newPassword');
