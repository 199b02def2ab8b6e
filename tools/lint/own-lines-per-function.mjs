/**
 * ESLint rule: how many lines a function has of its own. ESLint's `max-lines-per-function` counts the functions inside as
 * well, so a factory that returns five short methods would be too long; each of them is counted by itself here.
 */

const isBlankOrComment = (line) => /^\s*($|\/\/|\/\*|\*)/.test(line);

export default {
  meta: {
    type: 'suggestion',
    docs: { description: 'limit the lines of a function, without those of the functions in it' },
    schema: [{ type: 'object', properties: { max: { type: 'integer', minimum: 1 } }, additionalProperties: false }],
    defaultOptions: [{ max: 50 }],
    messages: { tooLong: 'This function has {{count}} lines of its own; at most {{max}} are allowed.' },
  },
  create(context) {
    const [{ max }] = context.options;
    /** One set of line numbers per open function: the lines that its inner functions take. */
    const innerLines = [];

    const enter = () => innerLines.push(new Set());
    const exit = (node) => {
      const inner = innerLines.pop();
      const { start, end } = node.loc;
      let count = 0;
      for (let line = start.line; line <= end.line; line += 1) {
        if (!inner.has(line) && !isBlankOrComment(context.sourceCode.lines[line - 1])) count += 1;
        innerLines.at(-1)?.add(line);
      }
      if (count > max) context.report({ node, messageId: 'tooLong', data: { count, max } });
    };

    return { ':function': enter, ':function:exit': exit };
  },
};
