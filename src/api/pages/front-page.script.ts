/** Runs in the browser: asks every two seconds how the parts do, and copies requests. */
export const FRONT_PAGE_SCRIPT = `'use strict';
const WORDS = { up: 'up', degraded: 'degraded', down: 'down' };
const parts = document.getElementById('parts');

const row = ({ name, state, url }) => {
  const item = document.createElement('li');
  item.dataset.state = state;
  const label = document.createElement(url ? 'a' : 'span');
  label.textContent = name;
  if (url) label.href = url;
  const word = document.createElement('b');
  word.textContent = WORDS[state] || state;
  item.append(label, word);
  return item;
};

const show = (list) => {
  const focused = document.activeElement && document.activeElement.href;
  parts.replaceChildren(...list.map(row));
  if (focused) [...parts.querySelectorAll('a')].find(({ href }) => href === focused)?.focus();
};

const look = async () => {
  try {
    show(await (await fetch('/front-page/parts')).json());
  } catch {
    show([{ name: 'gateway', state: 'down' }]);
  }
  setTimeout(look, 2000);
};
look();

for (const block of document.querySelectorAll('pre')) {
  block.textContent = block.textContent.replaceAll('ORIGIN', location.origin);
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = 'Copy';
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(block.textContent);
    button.textContent = 'Copied';
    setTimeout(() => { button.textContent = 'Copy'; }, 1500);
  });
  block.before(button);
}
`;
