import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

import { defaultTable, type GatewayTable, parseTableText } from './gateway-routes';
import { ConfigError } from './load';
import { readSettled } from './watch';

/** How often the file is looked at, milliseconds; why it is not watched is told in watch.ts. */
const POLL_MS = 1_000;

/** What became of a change of the file. */
export type TableReload =
  | { readonly outcome: 'applied'; readonly table: GatewayTable }
  | { readonly outcome: 'refused'; readonly problems: readonly string[] };

export interface WatchedTable {
  readonly table: GatewayTable;
  /** Looks at the file from now on. @returns stops it */
  readonly start: (onReload: (reload: TableReload) => void) => () => void;
}

const readNow = (file: string): string => {
  try {
    // eslint-disable-next-line security/detect-non-literal-fs-filename -- named by the operator
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigError([
      `GATEWAY_ROUTES_FILE: cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`,
    ]);
  }
};

const named = (problems: readonly string[]): string[] => problems.map((problem) => `GATEWAY_ROUTES_FILE: ${problem}`);

/**
 * The route table of the gateway: that of the file, or the built-in one where none is named. A change with a problem anywhere is
 * refused as a whole, and the last good table goes on.
 *
 * @throws {ConfigError} when the table at the start is not usable
 */
export const watchTable = (
  file: string | undefined,
  authServiceUrls: readonly string[],
  pollMs: number = POLL_MS,
): WatchedTable => {
  if (file === undefined) return { table: defaultTable(authServiceUrls), start: () => () => undefined };
  let seen: string | undefined = readNow(file);
  const first = parseTableText(seen);
  if (first.table === undefined) throw new ConfigError(named(first.problems));

  const look = async (onReload: (reload: TableReload) => void): Promise<void> => {
    // eslint-disable-next-line security/detect-non-literal-fs-filename -- named by the operator
    if ((await readFile(file, 'utf8').catch(() => undefined)) === seen) return;
    const text = await readSettled(file);
    if (text === seen) return;
    seen = text;
    if (text === undefined) {
      onReload({ outcome: 'refused', problems: ['GATEWAY_ROUTES_FILE: cannot be read'] });
      return;
    }
    const { table, problems } = parseTableText(text);
    onReload(table === undefined ? { outcome: 'refused', problems: named(problems) } : { outcome: 'applied', table });
  };

  return {
    table: first.table,
    start: (onReload) => {
      let looking = Promise.resolve();
      const timer = setInterval(() => {
        looking = looking.then(() => look(onReload));
      }, pollMs).unref();
      return () => {
        clearInterval(timer);
      };
    },
  };
};
