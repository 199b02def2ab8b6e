import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

const ROOT = resolve(__dirname, '..');
const CONTRACT = join('registry', 'auth', 'v1', 'auth.proto');

describe('the check of the gRPC contract', () => {
  let folder = '';

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'meqenet-proto-test-'));
    cpSync(join(ROOT, 'proto'), folder, { recursive: true });
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const run = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(ROOT, 'tools', 'proto.mjs'), ...args, '--folder', folder],
      { encoding: 'utf8' },
    );
    return { status, text: stdout + stderr };
  };

  const edit = (from: string | RegExp, to: string): void => {
    const path = join(folder, CONTRACT);
    const before = readFileSync(path, 'utf8');
    const after = before.replace(from, to);
    expect(after).not.toBe(before);
    writeFileSync(path, after);
  };

  it('finds nothing in the contract as it is committed, nor in other comments', () => {
    expect(run('check')).toEqual({ status: 0, text: '' });
    edit('// Of one session.', '// They belong to one session.');
    expect(run('check')).toEqual({ status: 0, text: '' });
  });

  it('finds a field that was removed, and does not accept it unless told to', () => {
    edit(/\n *string session_id = 5;/, '');
    const found = run('check');
    expect(found.status).toBe(1);
    expect(found.text).toMatch(/field "5" with name "session_id" on message "ValidateTokenResponse" was deleted/);
    expect(run('accept').status).toBe(1);
    expect(run('check').status).toBe(1);
    expect(run('accept', '--breaking').status).toBe(0);
    expect(run('check').status).toBe(0);
  });

  it.each([
    ['a type that was changed', 'bool valid = 1;', 'string valid = 1;', /changed type from "bool" to "string"/],
    ['a number that was changed', 'string subject = 2;', 'string subject = 12;', /field "2" with name "subject"/],
    ['a method that was removed', /\n *rpc LogoutUser.*/, '', /RPC "LogoutUser" on service "AuthService" was deleted/],
  ])('finds %s', (_, from, to, finding) => {
    edit(from, to);
    const { status, text } = run('check');
    expect(status).toBe(1);
    expect(text).toMatch(finding);
  });

  it('has additions accepted, which then may not be removed', () => {
    const addition = 'google.protobuf.Timestamp created_at = 12;\n  string nickname = 13;';
    edit('google.protobuf.Timestamp created_at = 12;', addition);
    expect(run('check')).toMatchObject({ status: 1, text: expect.stringContaining('npm run proto:accept') });
    expect(run('accept').status).toBe(0);
    expect(run('check').status).toBe(0);
    edit(addition, 'google.protobuf.Timestamp created_at = 12;');
    expect(run('check').text).toMatch(/"nickname" on message "User" was deleted/);
  });

  it('holds names and formatting to the rules', () => {
    edit('string subject = 2;', 'string Subject = 2;');
    expect(run('check').text).toMatch(/should be lower_snake_case/);
    edit('string Subject = 2;', 'string    subject = 2;');
    expect(run('check')).toMatchObject({ status: 1, text: expect.stringContaining('Format it') });
  });
});
