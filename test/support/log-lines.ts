/** Takes lines as the queue's logger does, and keeps them. */
export const createLineLogger = () => {
  const lines: { readonly level: string; readonly message: string; readonly fields: object }[] = [];
  const log = (level: string) => (fields: object, message: string) => {
    lines.push({ level, message, fields });
  };
  return { lines, info: log('info'), warn: log('warn'), error: log('error') };
};
