import { execFileSync } from 'node:child_process';
import { accessSync, constants, createReadStream, createWriteStream, existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress } from 'node:zlib';

import { type Browser, chromium } from 'playwright-core';

/** Of the machine, in the order in which they are looked for; `CHROMIUM_PATH` names another one, and `packaged` none of them. */
const INSTALLED = [
  ...['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome-stable', '/usr/bin/google-chrome'],
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];
/** Nothing that reaches out of the machine; tests may run as root, where Chromium has no sandbox. */
const FLAGS = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
  ...['--disable-component-update', '--disable-sync', '--disable-dev-shm-usage'],
];

const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

const installed = (): string | undefined => {
  const chosen = process.env['CHROMIUM_PATH'];
  if (chosen === 'packaged') return undefined;
  return chosen === undefined || chosen === '' ? INSTALLED.find(isExecutable) : chosen;
};

/** `@sparticuz/chromium` carries a headless Chromium, and the libraries that bare machines lack, for this platform alone. */
const hasPackaged = process.platform === 'linux' && process.arch === 'x64';

/** Whether there is a Chromium to be had: one of the machine, or the one of the npm package. */
export const hasBrowser = (): boolean => installed() !== undefined || hasPackaged;

const inflate = (from: string, to: string): Promise<void> =>
  pipeline(createReadStream(from), createBrotliDecompress(), createWriteStream(to));

/** Unpacks it once, beside what set-up keeps on this machine. */
const unpack = async (): Promise<{ executable: string; libraries: string }> => {
  const folder = resolve(dirname(require.resolve('@sparticuz/chromium')), '..', '..');
  const { version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as { version: string };
  const home = resolve(__dirname, '..', '..', '.meqenet', 'chromium');
  const target = join(home, version);
  if (!existsSync(target)) {
    await mkdir(home, { recursive: true });
    const temporary = await mkdtemp(join(home, 'unpacking-'));
    await inflate(join(folder, 'bin', 'chromium.br'), join(temporary, 'chromium'));
    await chmod(join(temporary, 'chromium'), 0o755);
    await inflate(join(folder, 'bin', 'al2023.tar.br'), join(temporary, 'libraries.tar'));
    execFileSync('tar', ['-xf', 'libraries.tar', '--no-same-owner'], { cwd: temporary });
    await rm(join(temporary, 'libraries.tar'));
    // Whole or not at all; another process may have been faster.
    await rename(temporary, target).catch(() => rm(temporary, { recursive: true, force: true }));
  }
  return { executable: join(target, 'chromium'), libraries: join(target, 'lib') };
};

export const launchBrowser = async (): Promise<Browser> => {
  const executablePath = installed();
  if (executablePath !== undefined) return chromium.launch({ executablePath, args: FLAGS });
  const { executable, libraries } = await unpack();
  return chromium.launch({
    executablePath: executable,
    args: [...FLAGS, '--no-zygote', '--headless=shell'],
    env: { ...process.env, LD_LIBRARY_PATH: libraries },
  });
};
