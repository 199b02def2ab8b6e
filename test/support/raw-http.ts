import { connect } from 'node:net';

import type { Answer } from './http-client';

const parse = (text: string): Answer => {
  const [head = '', ...rest] = text.split('\r\n\r\n');
  const [statusLine = '', ...lines] = head.split('\r\n');
  const headers = new Headers(
    lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]),
  );
  const body = rest.join('\r\n\r\n');
  return { status: Number(statusLine.split(' ')[1]), headers, body: body === '' ? undefined : JSON.parse(body) };
};

/**
 * Sends bytes as they are, for what no HTTP client would send, and reads the one answer until the connection ends. The
 * request has to ask for `Connection: close`, unless the service ends it of itself.
 */
export const sendRaw = (baseUrl: string, request: string | Buffer): Promise<Answer> => {
  const { hostname, port } = new URL(baseUrl);
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(Number(port), hostname, () => socket.write(request));
    socket.setEncoding('utf8');
    socket.setTimeout(10_000, () =>
      socket.destroy(new Error(`No end of the answer after 10 s: ${text.slice(0, 200)}`)),
    );
    socket.on('data', (chunk: string) => (text += chunk));
    socket.on('error', reject);
    socket.on('close', (hadError) => {
      if (!hadError) resolve(parse(text));
    });
  });
};
