interface PageTexts {
  readonly en: Readonly<Record<string, string>>;
  readonly am: Readonly<Record<string, string>>;
}

/** What both pages of an account recovery tell in the same words. */
const COMMON: PageTexts = {
  en: {
    busy: 'One moment …',
    invalid_recovery_token: 'This link does not work any more.',
    invalid_credentials: 'The password is wrong.',
    rate_limited: 'There were too many tries. Please wait a moment and try again.',
    incomplete: 'This link is not complete. Please open it again from the mail.',
    offline: 'The service cannot be reached. Please check your connection and try again.',
    other: 'Something went wrong on our side. Please try again shortly.',
  },
  am: {
    busy: 'አንድ አፍታ …',
    invalid_recovery_token: 'ይህ ማስፈንጠሪያ ከዚህ በኋላ አይሠራም።',
    invalid_credentials: 'የይለፍ ቃሉ ትክክል አይደለም።',
    rate_limited: 'ብዙ ሙከራዎች ተደርገዋል። እባክዎ ትንሽ ጠብቀው እንደገና ይሞክሩ።',
    incomplete: 'ይህ ማስፈንጠሪያ ሙሉ አይደለም። እባክዎ ከኢሜይሉ እንደገና ይክፈቱት።',
    offline: 'አገልግሎቱ ሊደረስበት አልቻለም። እባክዎ ግንኙነትዎን አረጋግጠው እንደገና ይሞክሩ።',
    other: 'በእኛ በኩል ችግር ተፈጥሯል። እባክዎ ከጥቂት ጊዜ በኋላ እንደገና ይሞክሩ።',
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

/**
 * Runs in the browser. The token comes in the fragment, which browsers do not send: it stays out of logs, and a mail scanner that
 * opens the link does nothing. The fragment is taken out of the address at once; only the button sends anything.
 */
const BODY = `const language = /^am\\b/i.test(navigator.language) ? 'am' : 'en';
const texts = TEXTS[language];
const element = (id) => document.getElementById(id);
const form = element('form');
const button = element('send');
const result = element('result');
const password = element('password');
/** After these another try with the same link can work. */
const RETRYABLE = new Set(['invalid_credentials', 'rate_limited', 'offline', 'other']);
/** Sent again after a lost answer it is the same request, and succeeds as the first one did. */
let attempt = { password: undefined, key: '' };
const keyFor = (value) => {
  if (attempt.password !== value) {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    attempt = { password: value, key: Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('') };
  }
  return attempt.key;
};
const show = (name) => {
  result.dataset.kind = name === 'success' ? 'success' : 'failure';
  result.textContent = texts[name];
  form.hidden = !RETRYABLE.has(name);
  button.disabled = false;
  button.textContent = texts.button;
  result.focus();
};
/** The name of the text that tells how it went. */
const send = async (token) => {
  const body = password === null ? { token } : { token, password: password.value };
  let response;
  try {
    response = await fetch(PATH, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        'Accept-Language': language,
        'Idempotency-Key': keyFor(body.password ?? ''),
      },
      body: JSON.stringify(body),
      credentials: 'omit',
      cache: 'no-store',
    });
  } catch {
    return 'offline';
  }
  if (response.ok) return 'success';
  if (response.status === 429) return 'rate_limited';
  const problem = await response.json().catch(() => ({}));
  return Object.hasOwn(texts, problem.code) ? problem.code : 'other';
};

document.documentElement.lang = language;
document.title = texts.title;
for (const id of ['title', 'label', 'hint']) if (element(id) !== null) element(id).textContent = texts[id];
button.textContent = texts.button;
const token = new URLSearchParams(location.hash.slice(1)).get('token') ?? '';
history.replaceState(null, '', location.pathname);
if (!/^[A-Za-z0-9_-]{43}$/.test(token)) {
  show('incomplete');
} else {
  form.hidden = false;
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    button.disabled = true;
    button.textContent = texts.busy;
    show(await send(token));
  });
}
`;

const script = (path: string, own: PageTexts): string => `'use strict';
const PATH = ${JSON.stringify(path)};
const TEXTS = ${JSON.stringify({ en: { ...COMMON.en, ...own.en }, am: { ...COMMON.am, ...own.am } })};
${BODY}`;

export const CANCEL_RECOVERY_SCRIPT = script('/v1/auth/mfa/recovery/cancel', CANCEL);
export const COMPLETE_RECOVERY_SCRIPT = script('/v1/auth/mfa/recovery/complete', COMPLETE);
