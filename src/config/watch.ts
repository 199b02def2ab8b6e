import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

import { ConfigError, type Environment, loadConfig, readSettings } from './load';
import { type Config, type SectionName, variablesThatAre } from './sections';

/** How often the file is looked at, milliseconds. */
const POLL_MS = 1_000;
/** Whoever writes a file in pieces has finished when it has not changed for so long, milliseconds. */
const SETTLE_MS = 150;

/** What became of a change. Names of variables only, never values. */
export type Reload =
  | {
      readonly outcome: 'applied';
      readonly changed: readonly string[];
      /** Secrets that changed as well and take effect at a restart only. */
      readonly heldBack: readonly string[];
    }
  | { readonly outcome: 'refused'; readonly problems: readonly string[] };

export interface WatchedConfig<S extends SectionName = SectionName> {
  /** The same object for as long as the process runs; its reloadable values change in place. */
  readonly config: Config<S>;
  /** Looks at the file from now on, and calls `onReload` after each change. */
  start(onReload: (reload: Reload) => void): void;
  stop(): void;
  /** Takes over what the provider of secrets and the files of `NAME_FILE` hold now. */
  takeSecrets(): Reload;
}

export interface WatchOptions {
  readonly environment?: Environment;
  /** What the provider of secrets holds now, by variable. */
  readonly secrets?: () => Readonly<Record<string, string>>;
  readonly pollMs?: number;
}

const RELOADABLE = new Set(variablesThatAre('reloadable'));
/** Kept by others, who change them when it suits them: secrets, and certificates. */
const KEPT_ELSEWHERE = new Set([...variablesThatAre('secret'), ...variablesThatAre('file')]);

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
const keepingKeys = <C extends Partial<Config>>(next: C, live: C): C => {
  if (next.tokens === undefined || live.tokens === undefined) return next;
  const { signingKeys } = next.tokens;
  const retainMs = Math.max(signingKeys.retainMs, live.tokens.signingKeys.retainMs);
  return { ...next, tokens: { ...next.tokens, signingKeys: { ...signingKeys, retainMs } } };
};

const differences = (one: Readonly<Record<string, string>>, other: Readonly<Record<string, string>>): string[] =>
  [...new Set([...Object.keys(one), ...Object.keys(other)])].filter((name) => one[name] !== other[name]).sort();

/** The text of the file once it holds still; undefined when it cannot be read. */
export const readSettled = async (file: string): Promise<string | undefined> => {
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

type Settings = Readonly<Record<string, string>>;

/** The new settings, with the old text of what is `held` back. */
const holdingBack = (next: Settings, settings: Settings, held: readonly string[]): Settings => {
  const old = Object.entries(settings).filter(([name]) => held.includes(name));
  return Object.fromEntries([...Object.entries(next).filter(([name]) => !held.includes(name)), ...old]);
};

const readText = (file: string | undefined): string | undefined => {
  try {
    // eslint-disable-next-line security/detect-non-literal-fs-filename -- named by the operator
    return file === undefined || file === '' ? undefined : readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
};

/**
 * The configuration of these sections, and what changes of `CONFIG_FILE` and of secrets make of it while the process runs.
 *
 * The file is read anew every second rather than watched: events of the file system miss a Kubernetes volume (which swaps a
 * symbolic link two folders above), network file systems and bind mounts, while the content is the same everywhere. It is
 * a few hundred bytes.
 *
 * A change is taken over as a whole or refused as a whole: with a problem anywhere, or with a variable that only takes
 * effect at a restart, everything stays as it was. It takes over in one turn of the event loop, so no request sees half.
 * Secrets and certificates are the exception: they are kept together by others, and a key that awaits its restart must not
 * keep a rotated password from being used.
 *
 * @throws {ConfigError} when the configuration at the start is not usable
 */
export const watchConfig = <const S extends SectionName>(
  sections: readonly S[],
  options: WatchOptions = {},
): WatchedConfig<S> => {
  const { environment = process.env, secrets = () => ({}), pollMs = POLL_MS } = options;
  const file = environment['CONFIG_FILE'];
  /** Of the last file that was good. */
  let fileText = readText(file);
  const config = loadConfig(sections, environment, { secrets: secrets(), fileText });
  let settings = readSettings(sections, { environment, secrets: secrets(), fileText });
  let timer: NodeJS.Timeout | undefined;
  let seen: string | undefined | null = null;

  const reload = (text: string | undefined): Reload => {
    try {
      const sources = { secrets: secrets(), fileText: text };
      // With all that is new: what awaits a restart must be usable then.
      loadConfig(sections, environment, sources);
      const next = readSettings(sections, { environment, ...sources });
      const changed = differences(settings, next).filter((name) => RELOADABLE.has(name));
      const fixed = differences(settings, next).filter((name) => !RELOADABLE.has(name));
      const problems = fixed
        .filter((name) => !KEPT_ELSEWHERE.has(name))
        .map((name) => `${name}: takes effect at a restart only`);
      if (problems.length > 0) return { outcome: 'refused', problems };
      const taken = holdingBack(next, settings, fixed);
      // What stands in `CONFIG_FILE` is among the settings already.
      takeOver(config, keepingKeys(loadConfig(sections, { ...taken, CONFIG_FILE: undefined }), config));
      settings = taken;
      return { outcome: 'applied', changed, heldBack: fixed };
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
    if (settled === undefined) {
      onReload({ outcome: 'refused', problems: ['CONFIG_FILE: cannot be read'] });
      return;
    }
    const result = reload(settled);
    if (result.outcome === 'applied') fileText = settled;
    // What was read at the start is no change.
    if (!(isFirstLook && result.outcome === 'applied' && result.changed.length === 0)) onReload(result);
  };

  return {
    config,
    takeSecrets: () => reload(fileText),
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
