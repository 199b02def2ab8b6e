import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

/** What the server answers to a command, instead of accepting it; it may also say nothing, or hang up. */
export type SmtpScript = Readonly<Partial<Record<'CONNECT' | 'EHLO' | 'MAIL' | 'RCPT' | 'DATA' | 'MESSAGE', string>>>;
export const HANG = 'hang';
export const HANG_UP = 'hang up';

export interface SmtpServer {
  readonly port: number;
  /** The mails that it was given in full, as they came. */
  readonly messages: readonly string[];
  /** Every command, in the order of arrival. */
  readonly commands: readonly string[];
  readonly close: () => Promise<void>;
}

const GREETINGS: Readonly<Record<string, string>> = { CONNECT: '220 test', DATA: '354 go on', QUIT: '221 bye' };

/** A mail server that says what the test wants it to. */
export const startSmtpServer = async (script: SmtpScript = {}): Promise<SmtpServer> => {
  const messages: string[] = [];
  const commands: string[] = [];
  const sockets = new Set<Socket>();

  const converse = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    let message: string[] | undefined;
    let rest = '';

    /** @returns whether the command was accepted */
    const answer = (command: string): boolean => {
      const reply = (script as Record<string, string | undefined>)[command];
      if (reply === HANG_UP) socket.destroy();
      else if (reply !== HANG) socket.write(`${reply ?? GREETINGS[command] ?? '250 ok'}\r\n`);
      return reply === undefined;
    };
    const take = (line: string): void => {
      if (message !== undefined) {
        if (line !== '.') message.push(line);
        else {
          if (answer('MESSAGE')) messages.push(message.join('\r\n'));
          message = undefined;
        }
        return;
      }
      commands.push(line);
      const command = line.split(/[ :]/)[0]?.toUpperCase() ?? '';
      if (answer(command) && command === 'DATA') message = [];
    };
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\r\n');
      rest = lines.pop() ?? '';
      lines.forEach(take);
    });
    answer('CONNECT');
  };

  const server = createServer(converse);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    messages,
    commands,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
};
