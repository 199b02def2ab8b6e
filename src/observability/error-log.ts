const MAX_CAUSES = 5;
const MAX_MESSAGE_LENGTH = 1_000;

/**
 * What drivers and parsers quote in their messages: addresses, phone and Fayda numbers, tokens, row values
 * (`Key (email)=(…)`), and quoted text, except names such as those of tables and constraints.
 */
const MASKS: readonly (readonly [RegExp, string])[] = [
  [/[^\s"'<>()]+@[^\s"'<>()]+/g, '[email]'],
  [/\beyJ[\w.-]+/g, '[token]'],
  [/\+?\d[\d -]{7,}\d/g, '[number]'],
  [/=\([^)]*\)/g, '=([value])'],
  [/"(?![a-z][a-z0-9_]*")[^"]*"/g, '"[value]"'],
];

const mask = (text: string): string => MASKS.reduce((masked, [pattern, mark]) => masked.replace(pattern, mark), text);

const messageOf = (error: Error): string => {
  // JSON.parse quotes the text that it could not read.
  if (error instanceof SyntaxError) return 'invalid syntax';
  // Prisma's messages show the whole query with its values and say what is wrong in the last line.
  const text = error.name.startsWith('PrismaClient') ? (error.message.trim().split('\n').at(-1) ?? '') : error.message;
  return mask(text.slice(0, MAX_MESSAGE_LENGTH));
};

/** The frames only: a stack begins with the message. */
const framesOf = (error: Error): string[] =>
  (error.stack ?? '')
    .split('\n')
    .filter((line) => line.startsWith('    at '))
    .map((line) => line.trim());

export interface LoggedError {
  readonly type: string;
  readonly message: string;
  readonly code?: string;
  readonly stack: readonly string[];
  readonly cause?: LoggedError;
  readonly errors?: readonly LoggedError[];
}

/**
 * An error as the log shows it. Only these properties: drivers hang queries, parameters, rows and whole requests on
 * their errors.
 */
export const toLoggedError = (error: Error, depth = 0): LoggedError => {
  const { code } = error as { code?: unknown };
  return {
    type: error.name,
    message: messageOf(error),
    ...((typeof code === 'string' || typeof code === 'number') && { code: String(code) }),
    stack: framesOf(error),
    ...(error.cause instanceof Error && depth < MAX_CAUSES && { cause: toLoggedError(error.cause, depth + 1) }),
    ...(error instanceof AggregateError &&
      depth < MAX_CAUSES && {
        errors: error.errors
          .filter((inner): inner is Error => inner instanceof Error)
          .slice(0, MAX_CAUSES)
          .map((inner) => toLoggedError(inner, depth + 1)),
      }),
  };
};
