import type { Listening } from '../api/server';
import { ConfigError, loadServerTls } from '../config/load';
import type { ServerTls } from '../config/tls.config';
import type { ProcessContext } from '../container/process';

/** A certificate is renewed days before it ends; reading it so often is for whoever waits for it, milliseconds. */
const POLL_MS = 2_000;

/**
 * Takes a renewed certificate over while the process runs. A key that does not fit its certificate (one of the two files is
 * still the old one) is reported once, and the old pair stays in use.
 *
 * @param toUse what of it a server uses
 * @returns stops it
 */
export const followCertificate = (
  { config, secrets, logger }: ProcessContext,
  server: Pick<Listening, 'renewTls'>,
  toUse: (tls: ServerTls) => ServerTls | undefined = (tls) => tls,
): (() => void) => {
  if (config.app.tls === undefined) return () => undefined;
  let seen = JSON.stringify(config.app.tls);
  let reported = '';
  const look = (): void => {
    try {
      const tls = loadServerTls(undefined, secrets());
      const text = JSON.stringify(tls);
      if (tls === undefined || text === seen) return;
      seen = text;
      const used = toUse(tls);
      if (used !== undefined) server.renewTls(used);
      logger.info('the certificate of the server was renewed');
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      const { problems } = error;
      if (reported !== problems.join()) logger.error({ problems }, 'the certificate of the server was not renewed');
      reported = problems.join();
    }
  };
  const timer = setInterval(look, POLL_MS).unref();
  return () => {
    clearInterval(timer);
  };
};
