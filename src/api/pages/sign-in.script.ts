import { pageScript, type PageTexts } from './page-script';

const TEXTS: PageTexts = {
  en: {
    title: 'Sign in to read workflows',
    account: 'E-mail address or phone',
    password: 'Password',
    factor: 'Second factor',
    code: 'Code',
    button: 'Sign in',
    out: 'Sign out',
    totp: 'Authenticator app',
    email_otp: 'Code by mail',
    sms_otp: 'Code by SMS',
    recovery_code: 'Recovery code',
    second: 'Show your second factor.',
    signed_in:
      'You are signed in: the Temporal UI of this browser shows what workflows hold. Leave this page open; everything that you read is recorded.',
    signed_out: 'You are signed out.',
    ended: 'The sign-in has ended. Please sign in again.',
    invalid_credentials: 'The account or the password is wrong.',
    invalid_code: 'The code is wrong or no longer works.',
    invalid_mfa_token: 'That took too long. Please sign in again.',
    account_locked: 'The account is locked.',
    forbidden: 'Your account may not decode workflows.',
    step_up_required: 'Your account may not decode workflows without a second factor.',
    mfa_enrollment_required: 'Set up an authenticator app or a passkey first.',
    login_delayed: 'There were too many failures. Please wait and try again.',
    too_many_attempts: 'There were too many wrong codes. Please sign in again.',
    no_factor: 'None of your second factors can be shown here. Set up an authenticator app.',
  },
  am: {
    title: 'የሥራ ሂደቶችን ለማንበብ ይግቡ',
    account: 'ኢሜይል ወይም ስልክ',
    password: 'የይለፍ ቃል',
    factor: 'ሁለተኛ ማረጋገጫ',
    code: 'ኮድ',
    button: 'ግባ',
    out: 'ውጣ',
    totp: 'የማረጋገጫ መተግበሪያ',
    email_otp: 'በኢሜይል የሚላክ ኮድ',
    sms_otp: 'በኤስኤምኤስ የሚላክ ኮድ',
    recovery_code: 'የመጠባበቂያ ኮድ',
    second: 'ሁለተኛ ማረጋገጫዎን ያሳዩ።',
    signed_in: 'ገብተዋል፤ በዚህ አሳሽ ያለው Temporal UI የሥራ ሂደቶችን ይዘት ያሳያል። ይህን ገጽ ክፍት ይተውት፤ የሚያነቡት ሁሉ ይመዘገባል።',
    signed_out: 'ወጥተዋል።',
    ended: 'መግቢያው አብቅቷል። እባክዎ እንደገና ይግቡ።',
    invalid_credentials: 'መለያው ወይም የይለፍ ቃሉ ትክክል አይደለም።',
    invalid_code: 'ኮዱ ትክክል አይደለም ወይም ከዚህ በኋላ አይሠራም።',
    invalid_mfa_token: 'ጊዜው አልፏል። እባክዎ እንደገና ይግቡ።',
    account_locked: 'መለያው ተቆልፏል።',
    forbidden: 'መለያዎ የሥራ ሂደቶችን ይዘት ማየት አይፈቀድለትም።',
    step_up_required: 'ያለ ሁለተኛ ማረጋገጫ መለያዎ የሥራ ሂደቶችን ይዘት ማየት አይፈቀድለትም።',
    mfa_enrollment_required: 'መጀመሪያ የማረጋገጫ መተግበሪያ ወይም የይለፍ ቁልፍ ያዘጋጁ።',
    login_delayed: 'ብዙ ያልተሳኩ ሙከራዎች ተደርገዋል። እባክዎ ጠብቀው እንደገና ይሞክሩ።',
    too_many_attempts: 'ብዙ የተሳሳቱ ኮዶች ገብተዋል። እባክዎ እንደገና ይግቡ።',
    no_factor: 'ከሁለተኛ ማረጋገጫዎችዎ እዚህ የሚሠራ የለም። የማረጋገጫ መተግበሪያ ያዘጋጁ።',
  },
};

/**
 * Runs in the browser. Tokens stay in the memory of this page; the server turns the access token into a cookie that no script
 * reads. As long as the page is open it renews the cookie before the token ends.
 */
const BODY = `const [form, first, second, button, out] = ['form', 'first', 'second', 'send', 'sign-out'].map(element);
const SENT = new Set(['email_otp', 'sms_otp']);
const SHOWN = new Set(['totp', 'recovery_code', ...SENT]);
let challenge;
let tokens;
let timer;
const show = (name, kind = 'failure') => {
  result.dataset.kind = kind;
  result.textContent = texts[name];
  button.disabled = false;
  button.textContent = texts.button;
};
/** The answer's body. @throws the name of the text that tells what went wrong */
const ask = async (method, path, body, token) => {
  let response;
  try {
    response = await fetch(path, {
      method,
      headers: {
        'Accept-Language': language,
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
        ...(token !== undefined && { Authorization: 'Bearer ' + token }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      cache: 'no-store',
    });
  } catch {
    throw 'offline';
  }
  const answer = response.status === 204 ? {} : await response.json().catch(() => ({}));
  if (response.ok) return answer;
  throw Object.hasOwn(texts, answer.code) ? answer.code : 'other';
};
const begin = () => {
  challenge = undefined;
  tokens = undefined;
  clearTimeout(timer);
  form.reset();
  form.hidden = first.hidden = false;
  second.hidden = out.hidden = true;
};
const keepAlive = () => {
  timer = setTimeout(async () => {
    try {
      await use(await ask('POST', '/v1/auth/refresh', { refreshToken: tokens.refreshToken }));
    } catch (name) {
      if (name === 'offline' || name === 'other') return keepAlive();
      begin();
      show('ended');
    }
  }, Math.max(1000, (tokens.expiresIn * 2000) / 3));
};
const use = async (answer) => {
  await ask('POST', '/session', undefined, answer.accessToken);
  tokens = answer;
  keepAlive();
};
const signIn = async (answer) => {
  try {
    await use(answer);
  } catch (name) {
    // A session that opens nothing here is not left behind.
    await ask('POST', '/v1/auth/logout', undefined, answer.accessToken).catch(() => undefined);
    throw name;
  }
  form.hidden = true;
  out.hidden = false;
  form.reset();
  show('signed_in', 'success');
};
const sendCode = async () => {
  const factor = element('factor').value;
  if (SENT.has(factor)) await ask('POST', '/v1/auth/login/mfa/challenge', { mfaToken: challenge.mfaToken, factor });
};
const offerFactors = async (answer) => {
  const factors = answer.factors.filter((factor) => SHOWN.has(factor));
  if (factors.length === 0) throw 'no_factor';
  challenge = answer;
  element('factor').replaceChildren(...factors.map((factor) => new Option(texts[factor], factor)));
  first.hidden = true;
  second.hidden = false;
  show('second', 'success');
  await sendCode();
  element('code').focus();
};
const proceed = async () => {
  if (challenge !== undefined) {
    const [factor, code] = [element('factor').value, element('code').value.trim()];
    return signIn(await ask('POST', '/v1/auth/login/mfa', { mfaToken: challenge.mfaToken, factor, code }));
  }
  const [account, password] = [element('account').value.trim(), element('password').value];
  const body = account.includes('@') ? { email: account, password } : { phone: account, password };
  const answer = await ask('POST', '/v1/auth/login', body);
  return answer.mfaRequired === true ? offerFactors(answer) : signIn(answer);
};
/** After these the same form can be sent again. */
const RETRYABLE = new Set(['invalid_credentials', 'invalid_code', 'rate_limited', 'login_delayed', 'offline', 'other']);
const fail = (name) => {
  const text = typeof name === 'string' ? name : 'other';
  if (!RETRYABLE.has(text)) begin();
  show(text);
};

element('title').textContent = texts.title;
for (const id of ['account', 'password', 'factor', 'code']) element(id + '-label').textContent = texts[id];
out.textContent = texts.out;
button.textContent = texts.button;
begin();
element('factor').addEventListener('change', () => sendCode().catch(fail));
form.addEventListener('submit', (event) => {
  event.preventDefault();
  button.disabled = true;
  button.textContent = texts.busy;
  proceed().catch(fail);
});
out.addEventListener('click', async () => {
  const { accessToken } = tokens;
  await ask('DELETE', '/session').catch(() => undefined);
  await ask('POST', '/v1/auth/logout', undefined, accessToken).catch(() => undefined);
  begin();
  show('signed_out', 'success');
});
`;

export const SIGN_IN_SCRIPT = pageScript(TEXTS, BODY);
