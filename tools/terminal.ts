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

/** A name and where it is. */
export const entry = (name: string, value: string): void => {
  console.log(`  ${name.padEnd(NAME_WIDTH)}   ${value}`);
};

export const notice = (text: string): void => {
  console.log(`  ${colors.yellow('!')} ${text}`);
};

export const failure = (error: unknown): void => {
  console.error(`\n${colors.red('✗')} ${error instanceof Error ? error.message : String(error)}`);
};
