/**
 * Generates the stubs of the gRPC clients that are kept in the repository (TypeScript, Go, Python), from `proto/`:
 * `npm run clients:generate`; with `--check` it changes nothing and fails where they are not what the proto gives.
 * Java's are made by Maven at build time. Set-up brings protoc; Go's stubs need Go on the machine.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';

import { GO_BIN, hasGo, PYTHON } from '../setup/clients.mjs';
import { inProject } from '../setup/paths.mjs';

const PROTO = inProject('proto', 'registry');
const GO_MODULE = 'meqenet.et/auth/clients/go';
const TS_PROTO = inProject('node_modules', '.bin', 'protoc-gen-ts_proto');

const must = (command, args) => {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (error !== undefined || status !== 0) throw new Error(`${command} failed: ${error?.message ?? stderr}`);
  return stdout.trim();
};

/** protoc comes with grpcio-tools, so that all three languages are compiled by the same one, pinned. */
const protoc = (...args) => must(PYTHON, ['-m', 'grpc_tools.protoc', ...args]);
/** google/rpc/*.proto: of googleapis-common-protos. */
const commonProtos = () =>
  must(PYTHON, ['-c', 'import google.rpc as m; print(list(m.__path__)[0])']).replace(/\/google\/rpc$/, '');

const typescript = (out) => {
  const plugin = `--plugin=protoc-gen-ts_proto=${TS_PROTO}`;
  const options = ['esModuleInterop=true', 'env=node', 'oneof=unions-value', 'outputJsonMethods=false'];
  const to = (services) => [
    `--ts_proto_out=${out}`,
    `--ts_proto_opt=${[...options, `outputServices=${services}`].join(',')}`,
  ];
  protoc(`-I${PROTO}`, plugin, ...to('grpc-js'), 'auth/v1/auth.proto');
  protoc(`-I${commonProtos()}`, plugin, ...to('none'), 'google/rpc/status.proto', 'google/rpc/error_details.proto');
};

const go = (out) => {
  const plugins = ['go', 'go-grpc'].map((name) => `--plugin=protoc-gen-${name}=${join(GO_BIN, `protoc-gen-${name}`)}`);
  // By the package that the proto names, below the module; its path stays auth/v1/auth.proto, as every user of it registers it.
  const to = ['go', 'go-grpc'].flatMap((name) => [`--${name}_out=${out}`, `--${name}_opt=module=${GO_MODULE}/authv1`]);
  protoc(`-I${PROTO}`, ...plugins, ...to, 'auth/v1/auth.proto');
};

const python = (out) => {
  // protoc's imports follow the path that it is told, so the stubs find each other inside the package.
  const inside = 'meqenet_auth/_generated';
  protoc(
    `-I${inside}=${join(PROTO, 'auth', 'v1')}`,
    `--python_out=${out}`,
    `--pyi_out=${out}`,
    `--grpc_python_out=${out}`,
    `${inside}/auth.proto`,
  );
  cpSync(join(out, inside), out, { recursive: true });
  rmSync(join(out, 'meqenet_auth'), { recursive: true });
  writeFileSync(join(out, '__init__.py'), '');
};

const LANGUAGES = [
  { name: 'TypeScript', folder: inProject('clients', 'typescript', 'src', 'generated'), generate: typescript },
  { name: 'Go', folder: inProject('clients', 'go', 'authv1'), generate: go, isThere: hasGo },
  { name: 'Python', folder: inProject('clients', 'python', 'src', 'meqenet_auth', '_generated'), generate: python },
];

const filesOf = (folder) =>
  !existsSync(folder)
    ? []
    : readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && !entry.parentPath.includes('__pycache__'))
        .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
        .sort();

/** Versions of compilers stand in comments; protoc-gen-go's names the protoc that called it. */
const differs = (one, other) => {
  const names = filesOf(one);
  if (names.join() !== filesOf(other).join()) return 'other files';
  return names.find((name) => readFileSync(join(one, name), 'utf8') !== readFileSync(join(other, name), 'utf8'));
};

const main = (isCheck) => {
  if (!existsSync(PYTHON)) throw new Error('protoc is missing: run npm run clients:generate');
  const work = mkdtempSync(join(tmpdir(), 'meqenet-stubs-'));
  const stale = [];
  try {
    for (const { name, folder, generate, isThere = () => true } of LANGUAGES) {
      if (!isThere()) {
        console.log(`${name}: skipped, its toolchain is not on this machine`);
        continue;
      }
      const out = join(work, name);
      mkdirSync(out);
      generate(out);
      const difference = differs(out, folder);
      if (difference !== undefined) stale.push(`${name} (${difference})`);
      if (isCheck) continue;
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(dirname(folder), { recursive: true });
      cpSync(out, folder, { recursive: true });
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  if (isCheck && stale.length > 0)
    throw new Error(`Not what proto/ gives: ${stale.join(', ')}. Run npm run clients:generate`);
  console.log(stale.length === 0 ? 'The stubs are what proto/ gives' : `Generated anew: ${stale.join(', ')}`);
};

try {
  main(process.argv.includes('--check'));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
