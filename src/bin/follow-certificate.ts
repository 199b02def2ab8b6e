import type { Listening } from '../api/server';
import type { ServerTls } from '../config/tls.config';
import type { ProcessContext } from '../container/process';

const POLL_MS = 1_000;

/**
 * Gives a server the certificate that the configuration holds now: a renewed one is taken over with the other secrets, once
 * certificate and key fit together.
 *
 * @param toUse what of it the server uses
 * @returns stops it
 */
export const followCertificate = (
  { config, logger }: Pick<ProcessContext<'tls'>, 'config' | 'logger'>,
  server: Pick<Listening, 'renewTls'>,
  toUse: (tls: ServerTls) => ServerTls | undefined = (tls) => tls,
): (() => void) => {
  let seen = JSON.stringify(config.tls);
  const timer = setInterval(() => {
    const { tls } = config;
    const text = JSON.stringify(tls);
    if (tls === undefined || text === seen) return;
    seen = text;
    const used = toUse(tls);
    if (used !== undefined) server.renewTls(used);
    logger.info('the certificate of the server was renewed');
  }, POLL_MS).unref();
  return () => {
    clearInterval(timer);
  };
};
