import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, test } from '@jest/globals';

import { runningProcesses, takeOver } from './pid-file';
import { processStartTime } from './process-table';

let dataDir: string;
const children: ChildProcess[] = [];
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'meqenet-pids-'));
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(dataDir, { recursive: true, force: true });
});

const startSleeper = async (): Promise<{ child: ChildProcess; pid: number }> => {
  const child = spawn('sleep', ['60']);
  children.push(child);
  await once(child, 'spawn');
  return { child, pid: child.pid ?? 0 };
};

const writeList = (entries: readonly { name: string; pid: number; startTime: string | undefined }[]): void =>
  writeFileSync(join(dataDir, 'stack.pids'), JSON.stringify(entries));

test('a second supervisor is refused as long as the first one runs', async () => {
  const { pidFile } = await takeOver(dataDir);
  await expect(takeOver(dataDir)).rejects.toThrow(`already runs on ${dataDir} (process ${process.pid})`);
  pidFile.close();
  await expect(takeOver(dataDir)).resolves.toMatchObject({ ended: [] });
});

test('what a killed supervisor left behind is ended', async () => {
  const { child, pid } = await startSleeper();
  writeList([{ name: 'valkey', pid, startTime: processStartTime(pid) }]);
  expect(runningProcesses(dataDir).map(({ name }) => name)).toEqual(['valkey']);
  const ended = once(child, 'exit');
  await expect(takeOver(dataDir)).resolves.toMatchObject({ ended: ['valkey'] });
  await expect(ended).resolves.toEqual([null, 'SIGTERM']);
});

test('another process that was given the same id is left alone', async () => {
  const { child, pid } = await startSleeper();
  writeList([{ name: 'valkey', pid, startTime: 'long ago' }]);
  await expect(takeOver(dataDir)).resolves.toMatchObject({ ended: [] });
  expect(child.exitCode ?? child.signalCode).toBeNull();
});

test('a list cut short by a crash is as good as none', async () => {
  writeFileSync(join(dataDir, 'stack.pids'), '[{"name":"val');
  await expect(takeOver(dataDir)).resolves.toMatchObject({ ended: [] });
});
