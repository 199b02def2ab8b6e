import { readFile } from 'node:fs/promises';

import { configFields } from './fields';
import { type Config, ConfigError, ENV_SECTIONS, type Environment, loadConfig, readSettings } from './load';

/** How often the file is looked at, milliseconds. */
const POLL_MS = 1_000;
/** Whoever writes a file in pieces has finished when it has not changed for so long, milliseconds. */
const SETTLE_MS = 150;

/** What became of a change of the file. Names of variables only, never values. */
export type Reload =
  | { readonly outcome: 'applied'; readonly changed: readonly string[] }
  | { readonly outcome: 'refused'; readonly problems: readonly string[] };

export interface WatchedConfig {
  /** The same object for as long as the process runs; its reloadable values change in place. */
  readonly config: Config;
  /** Looks at the file from now on, and calls `onReload` after each change. */
  start(onReload: (reload: Reload) => void): void;
  stop(): void;
}

export interface WatchOptions {
  readonly environment?: Environment;
  readonly pollMs?: number;
}

const RELOADABLE = new Set(
  Object.values(ENV_SECTIONS).flatMap(({ shape }) =>
    Object.entries(shape)
      .filter(([, field]) => configFields.get(field)?.reloadable === true)
      .map(([name]) => name),
  ),
);

/** Takes the values of `next` over into `live`, whose objects stay the same ones. Only reloadable values differ by then. */
const takeOver = (live: Record<string, unknown>, next: Readonly<Record<string, unknown>>): void => {
  for (const [key, value] of Object.entries(next)) {
    const current = live[key];
    const areGroups = [current, value].every(
      (part) => typeof part === 'object' && part !== null && Object.getPrototypeOf(part) === Object.prototype,
    );
    if (areGroups) takeOver(current as Record<string, unknown>, value as Record<string, unknown>);
    else live[key] = value;
  }
  for (const key of Object.keys(live)) if (!(key in next)) Reflect.deleteProperty(live, key);
};

/** Tokens of the longer life that held until now are still out there: their keys stay for as long as they were to. */
const keepingKeys = (next: Config, live: Config): Config => {
  const { signingKeys } = next.security;
  const retainMs = Math.max(signingKeys.retainMs, live.security.signingKeys.retainMs);
  return { ...next, security: { ...next.security, signingKeys: { ...signingKeys, retainMs } } };
};

const differences = (one: Readonly<Record<string, string>>, other: Readonly<Record<string, string>>): string[] =>
  [...new Set([...Object.keys(one), ...Object.keys(other)])].filter((name) => one[name] !== other[name]).sort();

/** The text of the file once it holds still; undefined when it cannot be read. */
const readSettled = async (file: string): Promise<string | undefined> => {
  const read = () =>
    // The operator names this file; that is what CONFIG_FILE is for.
    // eslint-disable-next-line security/detect-non-literal-fs-filename
    readFile(file, 'utf8').catch(() => undefined);
  for (let before = await read(); ;) {
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    const after = await read();
    if (after === before) return after;
    before = after;
  }
};

/**
 * The configuration, and what changes of `CONFIG_FILE` make of it while the process runs.
 *
 * The file is read anew every second rather than watched: events of the file system miss a Kubernetes volume (which swaps a
 * symbolic link two folders above), network file systems and bind mounts, while the content is the same everywhere. It is
 * a few hundred bytes.
 *
 * A change is taken over as a whole or refused as a whole: with a problem anywhere, or with a variable that only takes
 * effect at a restart, everything stays as it was. It takes over in one turn of the event loop, so no request sees half.
 *
 * @throws {ConfigError} when the configuration at the start is not usable
 */
export const watchConfig = ({ environment = process.env, pollMs = POLL_MS }: WatchOptions = {}): WatchedConfig => {
  const config = loadConfig(environment);
  const file = environment['CONFIG_FILE'];
  let settings = readSettings(environment);
  let timer: NodeJS.Timeout | undefined;
  let seen: string | undefined | null = null;

  const reload = (text: string | undefined): Reload | undefined => {
    if (text === undefined) return { outcome: 'refused', problems: ['CONFIG_FILE: cannot be read'] };
    try {
      const next = loadConfig(environment, text);
      const nextSettings = readSettings(environment, text);
      const changed = differences(settings, nextSettings);
      const fixed = changed.filter((name) => !RELOADABLE.has(name));
      if (fixed.length > 0) {
        return { outcome: 'refused', problems: fixed.map((name) => `${name}: takes effect at a restart only`) };
      }
      takeOver(config, keepingKeys(next, config));
      settings = nextSettings;
      return { outcome: 'applied', changed };
    } catch (error) {
      if (error instanceof ConfigError) return { outcome: 'refused', problems: error.problems };
      throw error;
    }
  };

  const look = async (path: string, onReload: (reload: Reload) => void): Promise<void> => {
    // eslint-disable-next-line security/detect-non-literal-fs-filename -- named by the operator
    const text = await readFile(path, 'utf8').catch(() => undefined);
    if (text === seen) return;
    const settled = await readSettled(path);
    if (settled === seen || timer === undefined) return;
    const isFirstLook = seen === null;
    seen = settled;
    const result = reload(settled);
    // What was read at the start is no change.
    if (result !== undefined && !(isFirstLook && result.outcome === 'applied' && result.changed.length === 0)) {
      onReload(result);
    }
  };

  return {
    config,
    start: (onReload) => {
      if (file === undefined || file === '') return;
      let looking = Promise.resolve();
      timer = setInterval(() => {
        looking = looking.then(() => look(file, onReload));
      }, pollMs).unref();
    },
    stop: () => {
      clearInterval(timer);
      timer = undefined;
    },
  };
};
