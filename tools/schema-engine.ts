import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import * as engineModule from '@prisma/schema-engine-wasm/schema_engine_bg';
import { Pool } from 'pg';

import { type PostgresAddress, toConnectionOptions } from '../src/repositories/postgres-address';

export type SchemaEngine = engineModule.SchemaEngine;

/** What the generated glue exports besides its documented API, for hosts that load the WebAssembly themselves. */
interface WasmGlue {
  __wbg_set_wasm(exports: WasmExports): void;
}

type WasmExports = Readonly<Record<string, unknown>> & { readonly __wbindgen_start: () => void };

/** The part of Node's global `WebAssembly` that is used here; its types would come only with those of the browser. */
declare const WebAssembly: {
  instantiate(bytes: Uint8Array, imports: Record<string, unknown>): Promise<{ instance: { exports: WasmExports } }>;
};

let loaded: Promise<void> | undefined;

type StartTimer = (callback: () => void, milliseconds: number) => NodeJS.Timeout;

/** The engine never stops the timer of its 10 s for getting a lock, which would keep this process alive for so long. */
const unreferencedTimers = (): Record<string, StartTimer> => {
  const functions = Object.entries(engineModule as unknown as Record<string, StartTimer>);
  const timers = functions.filter(([name]) => name.startsWith('__wbg_setTimeout_'));
  return Object.fromEntries(
    timers.map(([name, start]) => [name, (callback, milliseconds) => start(callback, milliseconds).unref()]),
  );
};

/** Node cannot import `.wasm` without a flag, so the module is instantiated by hand, once in a process. */
const loadWasm = async (): Promise<void> => {
  const folder = dirname(require.resolve('@prisma/schema-engine-wasm/schema_engine_bg'));
  const bytes = await readFile(join(folder, 'schema_engine_bg.wasm'));
  const { instance } = await WebAssembly.instantiate(bytes, {
    './schema_engine_bg.js': { ...engineModule, ...unreferencedTimers() },
  });
  (engineModule as unknown as WasmGlue).__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start();
};

/**
 * The adapter cuts a script at every semicolon, also inside of a function. The server itself takes it whole, and as one
 * transaction: a migration that fails leaves nothing half done.
 */
const createAdapter = (pool: Pool): PrismaPg => {
  const adapter = new PrismaPg(pool);
  const connect = adapter.connect.bind(adapter);
  adapter.connect = async () =>
    Object.assign(await connect(), {
      executeScript: async (script: string): Promise<void> => {
        await pool.query(script);
      },
    });
  return adapter;
};

/**
 * Runs `use` with Prisma's own schema engine, which the Prisma CLI would download as a binary.
 *
 * @param address where it works; it connects at once, even to compare two schemas only
 */
export const withSchemaEngine = async <T>(
  address: PostgresAddress,
  use: (engine: SchemaEngine) => Promise<T>,
): Promise<T> => {
  loaded ??= loadWasm();
  await loaded;
  // The engine never closes its connections, one of which holds its advisory lock; ending the pool does.
  const pool = new Pool(toConnectionOptions(address));
  const adapter = bindMigrationAwareSqlAdapterFactory(createAdapter(pool));
  try {
    const engine = await engineModule.SchemaEngine.new({ datamodels: undefined }, () => undefined, adapter);
    try {
      return await use(engine);
    } finally {
      engine.free();
    }
  } finally {
    await pool.end();
  }
};

/** No table or enum is left out of migrations. */
export const NO_FILTERS = { externalTables: [], externalEnums: [] };
