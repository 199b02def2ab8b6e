import { pageScript, type PageTexts } from './page-script';

/**
 * What a link says stands in the fragment, which browsers do not send: it stays out of logs, and a mail scanner that opens the
 * link uses nothing up. It is taken out of the address at once.
 */
const LINK = `const link = new URLSearchParams(location.hash.slice(1));
history.replaceState(null, '', location.pathname);
/** \`name\` of the text that tells how it went; and the status and the problem, where there are. */
const post = async (path, body, headers) => {
  let response;
  try {
    response = await fetch(path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'Accept-Language': language, ...headers },
      body: JSON.stringify(body),
      credentials: 'omit',
      cache: 'no-store',
    });
  } catch {
    return { name: 'offline' };
  }
  const { ok, status } = response;
  if (ok) return { name: 'success', status };
  const problem = await response.json().catch(() => ({}));
  if (Object.hasOwn(texts, problem.code)) return { name: problem.code, status, problem };
  return { name: status === 429 ? 'rate_limited' : 'other', status, problem };
};
`;

/**
 * The script of a page behind the link of a mail.
 *
 * @param body may use `link`, the parameters that the link carries, and `post` besides what is there for every page
 */
export const linkScript = (texts: PageTexts, body: string): string => pageScript(texts, LINK + body);

const TOKEN_FORM = `const [form, button, password] = ['form', 'send', 'password'].map(element);
/** After these another try with the same link can work. */
const RETRYABLE = new Set(['invalid_credentials', 'validation_failed', 'rate_limited', 'offline', 'other']);
/** Sent again after a lost answer it is the same request, and succeeds as the first one did. */
let attempt = { password: undefined, key: '' };
const keyFor = (value) => {
  if (attempt.password !== value) {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    attempt = { password: value, key: Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('') };
  }
  return attempt.key;
};
const show = (name, more = '') => {
  result.dataset.kind = name === 'success' ? 'success' : 'failure';
  result.textContent = texts[name] + more;
  form.hidden = !RETRYABLE.has(name);
  button.disabled = false;
  button.textContent = texts.button;
  result.focus();
};
for (const id of ['title', 'label', 'hint']) if (element(id) !== null) element(id).textContent = texts[id];
button.textContent = texts.button;
const token = link.get('token') ?? '';
if (!/^[A-Za-z0-9_-]{43}$/.test(token)) {
  show('incomplete');
} else {
  form.hidden = false;
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    button.disabled = true;
    button.textContent = texts.busy;
    const body = password === null ? { token } : { token, [FIELD]: password.value };
    const { name, problem } = await post(PATH, body, { 'Idempotency-Key': keyFor(body[FIELD] ?? '') });
    show(name, name === 'validation_failed' ? (problem.errors?.[0]?.message ?? '') : '');
  });
}
`;

/**
 * The script of a page whose link carries a token: only the button sends anything.
 *
 * @param path where the token goes
 * @param field what is sent of the password that the page asks for, if it does
 */
export const tokenFormScript = (path: string, texts: PageTexts, field = 'password'): string =>
  linkScript(texts, `const [PATH, FIELD] = ${JSON.stringify([path, field])};\n${TOKEN_FORM}`);
