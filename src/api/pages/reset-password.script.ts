/**
 * Runs in the browser. The token comes in the fragment, which browsers do not send: it stays out of logs, and a mail scanner
 * that opens the link uses nothing up. The fragment is taken out of the address at once.
 */
export const RESET_PASSWORD_SCRIPT = `'use strict';
const TEXTS = {
  en: {
    title: 'Choose a new password',
    label: 'New password',
    hint: 'At least 8 characters. A few words that belong to nobody but you are better than one with signs.',
    button: 'Set the password',
    busy: 'One moment …',
    success: 'Your password is changed and every device is logged out. You can now sign in to Meqenet.',
    invalid_reset_token: 'This link does not work any more. Please ask for a new one and use the newest mail.',
    validation_failed: 'Please choose another password: this one ',
    incomplete: 'This link is not complete. Please open it again from the mail.',
    rate_limited: 'There were too many tries. Please wait a moment and try again.',
    offline: 'The service cannot be reached. Please check your connection and try again.',
    other: 'Something went wrong on our side. Please try again shortly.',
  },
  am: {
    title: 'አዲስ የይለፍ ቃል ይምረጡ',
    label: 'አዲስ የይለፍ ቃል',
    hint: 'ቢያንስ 8 ፊደላት። ከእርስዎ በቀር ማንም የማያውቃቸው ጥቂት ቃላት ከምልክቶች ይሻላሉ።',
    button: 'የይለፍ ቃሉን ቀይር',
    busy: 'አንድ አፍታ …',
    success: 'የይለፍ ቃልዎ ተቀይሯል፤ ሁሉም መሣሪያዎች ከመለያዎ ወጥተዋል። አሁን ወደ መቀነት መግባት ይችላሉ።',
    invalid_reset_token: 'ይህ ማስፈንጠሪያ ከዚህ በኋላ አይሠራም። እባክዎ አዲስ ይጠይቁ፤ የመጨረሻውን ኢሜይል ይጠቀሙ።',
    validation_failed: 'እባክዎ ሌላ የይለፍ ቃል ይምረጡ፦ ይህኛው ',
    incomplete: 'ይህ ማስፈንጠሪያ ሙሉ አይደለም። እባክዎ ከኢሜይሉ እንደገና ይክፈቱት።',
    rate_limited: 'ብዙ ሙከራዎች ተደርገዋል። እባክዎ ትንሽ ጠብቀው እንደገና ይሞክሩ።',
    offline: 'አገልግሎቱ ሊደረስበት አልቻለም። እባክዎ ግንኙነትዎን አረጋግጠው እንደገና ይሞክሩ።',
    other: 'በእኛ በኩል ችግር ተፈጥሯል። እባክዎ ከጥቂት ጊዜ በኋላ እንደገና ይሞክሩ።',
  },
};
const language = /^am\\b/i.test(navigator.language) ? 'am' : 'en';
const texts = TEXTS[language];
const element = (id) => document.getElementById(id);
const form = element('form');
const button = element('send');
const result = element('result');

const show = (kind, text, again) => {
  result.dataset.kind = kind;
  result.textContent = text;
  form.hidden = !again;
  button.disabled = false;
  button.textContent = texts.button;
  result.focus();
};

/** One for each password: sent again after a lost answer it is the same request, and succeeds as the first one did. */
let attempt = { password: '', key: '' };
const keyFor = (password) => {
  if (attempt.password !== password) {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    attempt = { password, key: Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('') };
  }
  return attempt.key;
};

/** What to tell, and whether the form is of any more use. */
const reset = async (token, newPassword) => {
  let response;
  try {
    response = await fetch('/v1/auth/password/reset', {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        'Accept-Language': language,
        'Idempotency-Key': keyFor(newPassword),
      },
      body: JSON.stringify({ token, newPassword }),
      credentials: 'omit',
      cache: 'no-store',
    });
  } catch {
    return ['failure', texts.offline, true];
  }
  if (response.ok) return ['success', texts.success, false];
  const problem = await response.json().catch(() => ({}));
  if (problem.code === 'invalid_reset_token') return ['failure', texts.invalid_reset_token, false];
  if (problem.code === 'validation_failed') {
    const [error] = problem.errors ?? [];
    return ['failure', texts.validation_failed + (error?.message ?? ''), true];
  }
  return ['failure', response.status === 429 ? texts.rate_limited : texts.other, true];
};

document.documentElement.lang = language;
document.title = texts.title;
for (const id of ['title', 'label', 'hint']) element(id).textContent = texts[id];
button.textContent = texts.button;

const token = new URLSearchParams(location.hash.slice(1)).get('token') ?? '';
history.replaceState(null, '', location.pathname);

if (!/^[A-Za-z0-9_-]{43}$/.test(token)) {
  show('failure', texts.incomplete, false);
} else {
  form.hidden = false;
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    button.disabled = true;
    button.textContent = texts.busy;
    show(...(await reset(token, element('password').value)));
  });
}
`;
