import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

const LOOPBACK = '127.0.0.1';

/** Tries it by listening on it for a moment. */
const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(false);
    });
    server.listen({ port, host: LOOPBACK, exclusive: true }, () => {
      server.close(() => {
        resolve(true);
      });
    });
  });

/**
 * Below the range of outgoing connections, one of which could otherwise take the port while its part restarts; and a slice for
 * each process, since two that choose at the same time (Jest's workers) would not see that the other one has chosen.
 */
const [FIRST, SLICE, SLICES] = [20_000, 500, 24];
const LOWEST = FIRST + (process.pid % SLICES) * SLICE;

/** What this process was given before: the part that got it may not listen yet. */
const handedOut = new Set<number>();

/** A port of 127.0.0.1 that nothing listens on. */
export const freePort = async (): Promise<number> => {
  for (;;) {
    const port = randomInt(LOWEST, LOWEST + SLICE);
    if (handedOut.has(port)) continue;
    // Before the trial, during which another call may draw the same number.
    handedOut.add(port);
    if (await isFree(port)) return port;
  }
};

/** The usual port, or a free one where that is taken: for what is found through the configuration only. */
export const usualOrFreePort = async (usual: number): Promise<number> => {
  if (!handedOut.has(usual) && (await isFree(usual))) {
    handedOut.add(usual);
    return usual;
  }
  return freePort();
};

/** A port that people type, which therefore never moves by itself. */
export const fixedPort = async (port: number, wantedBy: string, variable: string): Promise<number> => {
  if (await isFree(port)) return port;
  throw new Error(
    `Port ${String(port)} is in use, and ${wantedBy} wants it. Stop what listens there, or set ${variable} to another port.`,
  );
};
