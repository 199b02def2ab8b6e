import { linkScript } from './link-script';
import type { PageTexts } from './page-script';

const TEXTS: PageTexts = {
  en: {
    title: 'Confirm your e-mail address',
    intro: 'Press the button to confirm your e-mail address and open your Meqenet account.',
    button: 'Confirm',
    success: 'Thank you. Your e-mail address is confirmed. You can now sign in to Meqenet.',
    registration_completed: 'This e-mail address has already been confirmed. You can sign in to Meqenet.',
    registration_expired: 'This link has expired. Please register again.',
    registration_not_found: 'This link does not work any more. Please register again.',
    invalid_code: 'The code in this link is wrong or a newer one has been sent. Please use the newest mail.',
    too_many_attempts: 'There were too many tries. Please ask for a new code in the app.',
    incomplete: 'This link is not complete. Please open it again from the mail, or enter the code in the app.',
  },
  am: {
    title: 'የኢሜይል አድራሻዎን ያረጋግጡ',
    intro: 'የኢሜይል አድራሻዎን ለማረጋገጥና የመቀነት መለያዎን ለመክፈት ቁልፉን ይጫኑ።',
    button: 'አረጋግጥ',
    success: 'እናመሰግናለን። የኢሜይል አድራሻዎ ተረጋግጧል። አሁን ወደ መቀነት መግባት ይችላሉ።',
    registration_completed: 'ይህ የኢሜይል አድራሻ ከዚህ በፊት ተረጋግጧል። ወደ መቀነት መግባት ይችላሉ።',
    registration_expired: 'የዚህ ማስፈንጠሪያ ጊዜ አልፏል። እባክዎ እንደገና ይመዝገቡ።',
    registration_not_found: 'ይህ ማስፈንጠሪያ ከዚህ በኋላ አይሠራም። እባክዎ እንደገና ይመዝገቡ።',
    invalid_code: 'የዚህ ማስፈንጠሪያ ኮድ ትክክል አይደለም ወይም አዲስ ኮድ ተልኳል። እባክዎ የመጨረሻውን ኢሜይል ይጠቀሙ።',
    too_many_attempts: 'ብዙ ጊዜ ተሞክሯል። እባክዎ በመተግበሪያው አዲስ ኮድ ይጠይቁ።',
    rate_limited: 'ብዙ ጊዜ ተሞክሯል። እባክዎ ጥቂት ጠብቀው እንደገና ይሞክሩ።',
    incomplete: 'ይህ ማስፈንጠሪያ ሙሉ አይደለም። እባክዎ ከኢሜይሉ እንደገና ይክፈቱት ወይም ኮዱን በመተግበሪያው ያስገቡ።',
    offline: 'አገልግሎቱን ማግኘት አልተቻለም። እባክዎ ግንኙነትዎን አረጋግጠው እንደገና ይሞክሩ።',
  },
};

/** The code is sent only when the button is pressed, and the tokens of the answer are not read. */
const BODY = `const button = element('confirm');
/** After these another try with the same link can work. */
const RETRYABLE = new Set(['rate_limited', 'offline', 'other']);
const SUCCESSES = new Set(['success', 'registration_completed']);
const show = (name) => {
  result.dataset.kind = SUCCESSES.has(name) ? 'success' : 'failure';
  result.textContent = texts[name];
  button.hidden = !RETRYABLE.has(name);
  button.disabled = false;
  button.textContent = texts.button;
  result.focus();
};
for (const id of ['title', 'intro']) element(id).textContent = texts[id];
button.textContent = texts.button;
const [registrationId, code] = ['registrationId', 'code'].map((name) => link.get(name) ?? '');
if (!/^[0-9a-f-]{36}$/i.test(registrationId) || !/^[0-9]{6}$/.test(code)) {
  show('incomplete');
} else {
  button.addEventListener('click', async () => {
    button.disabled = true;
    button.textContent = texts.busy;
    const { name, status } = await post('/v1/auth/register/' + encodeURIComponent(registrationId) + '/verify', { code });
    show(name === 'other' && status === 400 ? 'incomplete' : name);
  });
}
`;

export const VERIFY_EMAIL_SCRIPT = linkScript(TEXTS, BODY);
