import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';

import { serveCalls } from './helper';

const DATA_END = '\r\n.\r\n';

/** Takes every mail and forgets it: the mail server is not what is measured. */
const converse = (socket: Socket): void => {
  let input = '';
  let inData = false;
  socket.setEncoding('latin1');
  socket.setNoDelay(true);
  const answer = (line: string) => socket.write(`${line}\r\n`);
  const takeLine = (line: string): void => {
    const verb = line.slice(0, 4).toUpperCase();
    if (verb === 'DATA') {
      inData = true;
      answer('354 go on');
    } else if (verb === 'QUIT') {
      answer('221 bye');
      socket.end();
    } else answer('250 ok');
  };
  const takeNext = (): boolean => {
    const end = inData ? DATA_END : '\r\n';
    const at = input.indexOf(end);
    if (at < 0) return false;
    const taken = input.slice(0, at);
    input = input.slice(at + end.length);
    if (inData) {
      inData = false;
      answer('250 accepted');
    } else takeLine(taken);
    return true;
  };
  socket.on('data', (chunk: string) => {
    input += chunk;
    while (takeNext());
  });
  socket.on('error', () => socket.destroy());
  answer('220 sink');
};

const handlers = {
  listen: async ({ port }: { readonly port: number }): Promise<void> => {
    const server = createServer(converse);
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  },
};
export type SmtpSinkHelper = typeof handlers;

serveCalls(handlers);
