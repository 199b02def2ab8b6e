import colors from 'picocolors';

const NAME_WIDTH = 32;

const duration = (milliseconds: number): string =>
  milliseconds < 1_000 ? `${String(milliseconds)} ms` : `${(milliseconds / 1_000).toFixed(1)} s`;

/** A headline of a phase. */
export const title = (text: string): void => {
  console.log(colors.bold(text));
};

/** Something that is done, and how long it took. */
export const done = (what: string, milliseconds: number): void => {
  console.log(`  ${colors.green('✓')} ${what.padEnd(NAME_WIDTH)} ${colors.dim(duration(milliseconds))}`);
};

/** Names and places of everything that people look for. */
export const showAddresses = (addresses: Readonly<Record<string, string>>): void => {
  title('Addresses');
  for (const [name, address] of Object.entries(addresses)) console.log(`  ${name.padEnd(NAME_WIDTH)}   ${address}`);
};

export const notice = (text: string): void => {
  console.log(`  ${colors.yellow('!')} ${text}`);
};

export const failure = (error: unknown): void => {
  console.error(`\n${colors.red('✗')} ${error instanceof Error ? error.message : String(error)}`);
};
