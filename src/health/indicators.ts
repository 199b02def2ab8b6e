/** Resolves when what it watches works; rejects otherwise. */
export type Indicator = () => Promise<void>;

const fromProbe =
  (probe: () => Promise<unknown>): Indicator =>
  async () => {
    await probe();
  };

/** A round trip through the connection pool that the process works with. */
export const postgresIndicator = ({ query }: { query: (sql: string) => Promise<unknown> }): Indicator =>
  fromProbe(() => query('SELECT 1'));

export const redisIndicator = ({ ping }: { ping: () => Promise<unknown> }): Indicator => fromProbe(ping);

/** `getSystemInfo` of the workflow service: cheap, and served only by a frontend that works. */
export const temporalIndicator = ({ getSystemInfo }: { getSystemInfo: () => Promise<unknown> }): Indicator =>
  fromProbe(getSystemInfo);

/** Greets the mail server and signs in; sends nothing. */
export const mailIndicator = ({ verify }: { verify: () => Promise<unknown> }): Indicator => fromProbe(verify);
