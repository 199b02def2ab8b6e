import colors from 'picocolors';

/** One line of the table. */
export interface Row {
  readonly work: string;
  readonly figure: string;
  readonly target: string;
  /** To what the target compares it, of the same run. */
  readonly ratio: string;
  /** Undefined where there is no target. */
  readonly met: boolean | undefined;
}

export interface Report {
  readonly startedAt: string;
  readonly seconds: number;
  readonly machine: string;
  /** Share of the machine that other programs took meanwhile, 0 to 1; NaN where it cannot be told. */
  readonly disturbance: number;
  readonly rows: readonly Row[];
  /** Every number behind the rows. */
  readonly figures: Readonly<Record<string, unknown>>;
}

const COLUMNS = ['work', 'figure', 'target', 'ratio'] as const;
const HEADINGS = { work: 'Work', figure: 'Figure', target: 'Target', ratio: 'Ratio' };

const verdict = (met: boolean | undefined): string => {
  if (met === undefined) return colors.dim('-');
  return met ? colors.green('met') : colors.red('not met');
};

/** More than this is no longer a measurement of the service alone. */
const TOLERABLE_DISTURBANCE = 0.05;

/** Whether the figures can be believed. */
export const renderDisturbance = ({ disturbance }: Pick<Report, 'disturbance'>): string => {
  const text = `other programs took ${(disturbance * 100).toFixed(0)} % of the machine`;
  return disturbance > TOLERABLE_DISTURBANCE ? colors.yellow(`${text}: measure again when they are done`) : text;
};

/** The rows as a table for the terminal. */
export const renderTable = (rows: readonly Row[]): string => {
  const widths = COLUMNS.map((name) => Math.max(HEADINGS[name].length, ...rows.map((row) => row[name].length)));
  const line = (cells: readonly string[], last: string): string =>
    `  ${cells.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join('   ')}   ${last}`.trimEnd();
  const heading = colors.bold(
    line(
      COLUMNS.map((name) => HEADINGS[name]),
      'Met',
    ),
  );
  return [
    heading,
    ...rows.map((row) =>
      line(
        COLUMNS.map((name) => row[name]),
        verdict(row.met),
      ),
    ),
  ].join('\n');
};
