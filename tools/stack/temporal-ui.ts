import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

const SETTINGS = '/api/v1/settings';
const LOOPBACK = '127.0.0.1';

/** The settings of the UI, changed so that it sends the cookie of the codec server along. */
const withCredentials = (text: string): string => {
  const settings = JSON.parse(text) as { Codec?: object };
  return JSON.stringify({ ...settings, Codec: { ...settings.Codec, IncludeCredentials: true } });
};

const answerSettings = (from: IncomingMessage, to: ServerResponse): void => {
  const chunks: Buffer[] = [];
  from.on('data', (chunk: Buffer) => chunks.push(chunk));
  from.on('end', () => {
    const { 'content-length': _, ...headers } = from.headers;
    to.writeHead(from.statusCode ?? 502, headers).end(withCredentials(Buffer.concat(chunks).toString('utf8')));
  });
};

/**
 * Stands before the UI of the development server, whose command line cannot say `codec.includeCredentials`; the UI's own server
 * has a setting for it.
 */
export const createTemporalUi = (port: number, targetPort: number) => {
  const pass = (from: IncomingMessage, to: ServerResponse): void => {
    const { url = '/', method, headers } = from;
    const isSettings = url.split('?')[0] === SETTINGS;
    const { 'accept-encoding': encoding, ...rest } = headers;
    const sent = isSettings || encoding === undefined ? rest : headers;
    const asked = request({ host: LOOPBACK, port: targetPort, path: url, method, headers: sent }, (answer) => {
      if (isSettings && answer.statusCode === 200) {
        answerSettings(answer, to);
        return;
      }
      to.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(to);
    });
    asked.on('error', () => {
      if (!to.headersSent) to.writeHead(502);
      to.end();
    });
    from.pipe(asked);
  };
  let server: Server | undefined;
  return {
    start: async (): Promise<void> => {
      if (server !== undefined) return;
      const starting = createServer(pass);
      await new Promise<void>((resolve, reject) => {
        starting.once('error', reject).listen(port, LOOPBACK, resolve);
      });
      server = starting;
    },
    stop: async (): Promise<void> => {
      const stopping = server;
      server = undefined;
      if (stopping === undefined) return;
      await new Promise<void>((resolve) => {
        stopping.close(() => {
          resolve();
        });
        stopping.closeAllConnections();
      });
    },
  };
};
