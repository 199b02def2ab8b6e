import { type Duplex, pipeline } from 'node:stream';

interface Tunnel {
  readonly client: Duplex;
  /** What the client sent with its request already. */
  readonly head: Buffer;
  readonly upstream: Duplex;
  /** Of the upstream's answer. */
  readonly headers: readonly string[];
}

/** Answers 101 and joins the two ends, each at its own pace; when one ends so does the other. */
export const openTunnel = ({ client, head, upstream, headers }: Tunnel): void => {
  const lines = ['HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', 'Upgrade: websocket'];
  for (let i = 0; i < headers.length; i += 2) lines.push(`${headers[i] ?? ''}: ${headers[i + 1] ?? ''}`);
  client.write(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  if (head.length > 0) upstream.write(head);
  pipeline(client, upstream, () => client.destroy());
  pipeline(upstream, client, () => upstream.destroy());
};
