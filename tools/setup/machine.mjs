import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';

import { inProject, ROOT } from './paths.mjs';

const OLDEST_NODE = [20, 19];
const PLATFORMS = ['linux-x64', 'linux-arm64', 'darwin-arm64', 'darwin-x64'];

const checkNode = () => {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const isNewEnough = major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]);
  if (!isNewEnough)
    throw new Error(`Node ${OLDEST_NODE.join('.')} or newer is needed; this is ${process.versions.node}.`);
};

const checkPlatform = () => {
  const platform = `${process.platform}-${process.arch}`;
  if (PLATFORMS.includes(platform)) return;
  throw new Error(`The embedded stack runs on ${PLATFORMS.join(', ')}; this is ${platform}. On Windows use WSL 2.`);
};

const checkWritable = () => {
  for (const folder of [ROOT, ...['.meqenet', 'dist', 'node_modules'].map((name) => inProject(name))]) {
    if (!existsSync(folder)) continue;
    try {
      accessSync(folder, constants.W_OK);
    } catch {
      throw new Error(
        `No permission to write in ${folder}. Run this as the user that owns it, or give it to you with chown.`,
      );
    }
  }
};

/** Fails with one clear message where this machine or folder cannot carry the project. */
export const checkMachine = () => {
  checkNode();
  checkPlatform();
  checkWritable();
};

const PYTHONS = ['python3', '/usr/bin/python3', 'python'];
const PYTHON_PROBE = 'import sys\nprint("old" if sys.version_info < (3, 8) else "new")\nimport venv, ensurepip';

/** A Python 3 that can make virtual environments. */
export const findPython = () => {
  const problems = new Set();
  for (const python of PYTHONS) {
    const { status, stdout, error } = spawnSync(python, ['-c', PYTHON_PROBE], { encoding: 'utf8' });
    if (error !== undefined || stdout.trim() === '') continue;
    if (stdout.startsWith('old')) problems.add(`${python} is older than 3.8`);
    else if (status === 0) return python;
    else problems.add(`${python} has no venv module (on Debian and Ubuntu: apt install python3-venv)`);
  }
  if (problems.size > 0) throw new Error(`No usable Python: ${[...problems].join('; ')}.`);
  throw new Error(
    'Python 3 is not installed. It carries Temporal and Valkey: install python3 with venv (apt install python3-venv).',
  );
};

/** Major and minor version of that Python. */
export const pythonVersion = () => {
  const { stdout } = spawnSync(findPython(), ['-c', 'import sys; print(*sys.version_info[:2])'], { encoding: 'utf8' });
  return stdout.trim().split(' ').map(Number);
};

/** Older ones do not fetch the toolchain that a module asks for. */
const OLDEST_GO = [1, 21];
const GOS = ['go', '/usr/local/go/bin/go'];

/** A Go that can build the tools written in it, if there is one. */
export const findGo = () =>
  GOS.find((go) => {
    const { stdout } = spawnSync(go, ['version'], { encoding: 'utf8' });
    const [, major, minor] = /go version go(\d+)\.(\d+)/.exec(stdout ?? '') ?? [];
    return Number(major) > OLDEST_GO[0] || (Number(major) === OLDEST_GO[0] && Number(minor) >= OLDEST_GO[1]);
  });
