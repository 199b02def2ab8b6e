/**
 * Runs in the browser. The link carries the registration and the code in the fragment, which browsers do not send: they
 * stay out of logs, and a mail scanner that opens the link uses nothing up. The fragment is taken out of the address
 * at once, the code is sent only when the button is pressed, and the tokens of the answer are not read.
 */
export const VERIFY_EMAIL_SCRIPT = `'use strict';
const TEXTS = {
  en: {
    title: 'Confirm your e-mail address',
    intro: 'Press the button to confirm your e-mail address and open your Meqenet account.',
    button: 'Confirm',
    busy: 'One moment …',
    success: 'Thank you. Your e-mail address is confirmed. You can now sign in to Meqenet.',
    registration_completed: 'This e-mail address has already been confirmed. You can sign in to Meqenet.',
    registration_expired: 'This link has expired. Please register again.',
    registration_not_found: 'This link does not work any more. Please register again.',
    invalid_code: 'The code in this link is wrong or a newer one has been sent. Please use the newest mail.',
    too_many_attempts: 'There were too many tries. Please ask for a new code in the app.',
    rate_limited: 'There were too many tries. Please wait a moment and try again.',
    incomplete: 'This link is not complete. Please open it again from the mail, or enter the code in the app.',
    offline: 'The service cannot be reached. Please check your connection and try again.',
    other: 'Something went wrong on our side. Please try again shortly.',
  },
  am: {
    title: 'የኢሜይል አድራሻዎን ያረጋግጡ',
    intro: 'የኢሜይል አድራሻዎን ለማረጋገጥና የመቀነት መለያዎን ለመክፈት ቁልፉን ይጫኑ።',
    button: 'አረጋግጥ',
    busy: 'አንድ አፍታ …',
    success: 'እናመሰግናለን። የኢሜይል አድራሻዎ ተረጋግጧል። አሁን ወደ መቀነት መግባት ይችላሉ።',
    registration_completed: 'ይህ የኢሜይል አድራሻ ከዚህ በፊት ተረጋግጧል። ወደ መቀነት መግባት ይችላሉ።',
    registration_expired: 'የዚህ ማስፈንጠሪያ ጊዜ አልፏል። እባክዎ እንደገና ይመዝገቡ።',
    registration_not_found: 'ይህ ማስፈንጠሪያ ከዚህ በኋላ አይሠራም። እባክዎ እንደገና ይመዝገቡ።',
    invalid_code: 'የዚህ ማስፈንጠሪያ ኮድ ትክክል አይደለም ወይም አዲስ ኮድ ተልኳል። እባክዎ የመጨረሻውን ኢሜይል ይጠቀሙ።',
    too_many_attempts: 'ብዙ ጊዜ ተሞክሯል። እባክዎ በመተግበሪያው አዲስ ኮድ ይጠይቁ።',
    rate_limited: 'ብዙ ጊዜ ተሞክሯል። እባክዎ ጥቂት ጠብቀው እንደገና ይሞክሩ።',
    incomplete: 'ይህ ማስፈንጠሪያ ሙሉ አይደለም። እባክዎ ከኢሜይሉ እንደገና ይክፈቱት ወይም ኮዱን በመተግበሪያው ያስገቡ።',
    offline: 'አገልግሎቱን ማግኘት አልተቻለም። እባክዎ ግንኙነትዎን አረጋግጠው እንደገና ይሞክሩ።',
    other: 'በእኛ በኩል ችግር ተፈጥሯል። እባክዎ ከጥቂት ጊዜ በኋላ እንደገና ይሞክሩ።',
  },
};
/** After these another try with the same link can work. */
const RETRYABLE = new Set(['rate_limited', 'offline', 'other']);

const language = navigator.language.toLowerCase().startsWith('am') ? 'am' : 'en';
const texts = TEXTS[language];
const element = (id) => document.getElementById(id);
const button = element('confirm');
const result = element('result');

const show = (kind, name) => {
  result.dataset.kind = kind;
  result.textContent = texts[name];
  button.hidden = !(kind === 'failure' && RETRYABLE.has(name));
  button.disabled = false;
  button.textContent = texts.button;
  result.focus();
};

/** The name of the text that tells how it went. */
const verify = async (registrationId, code) => {
  let response;
  try {
    response = await fetch('/v1/auth/register/' + encodeURIComponent(registrationId) + '/verify', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'Accept-Language': language },
      body: JSON.stringify({ code }),
      credentials: 'omit',
      cache: 'no-store',
    });
  } catch {
    return 'offline';
  }
  if (response.ok) return 'success';
  const problem = await response.json().catch(() => ({}));
  if (Object.hasOwn(texts, problem.code)) return problem.code;
  if (response.status === 429) return 'rate_limited';
  return response.status === 400 ? 'incomplete' : 'other';
};

document.documentElement.lang = language;
document.title = texts.title;
element('title').textContent = texts.title;
element('intro').textContent = texts.intro;
button.textContent = texts.button;

const link = new URLSearchParams(location.hash.slice(1));
history.replaceState(null, '', location.pathname);
const registrationId = link.get('registrationId') ?? '';
const code = link.get('code') ?? '';

if (!/^[0-9a-f-]{36}$/i.test(registrationId) || !/^[0-9]{6}$/.test(code)) {
  show('failure', 'incomplete');
} else {
  button.addEventListener('click', async () => {
    button.disabled = true;
    button.textContent = texts.busy;
    const outcome = await verify(registrationId, code);
    show(outcome === 'success' || outcome === 'registration_completed' ? 'success' : 'failure', outcome);
  });
}
`;
