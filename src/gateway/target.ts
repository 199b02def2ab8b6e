import { AppError } from '../contracts/errors';

/** What a request asks for, as the gateway and every upstream read it alike. */
export interface Target {
  /** Normalised: no dot segments, no empty ones, nothing encoded that need not be. */
  readonly path: string;
  /** With its `?`; empty where there is none. As the client wrote it. */
  readonly query: string;
  /** Of a request target in absolute form, which wins over `Host` (RFC 9112, 3.2.2). */
  readonly host: string | undefined;
}

const refuse = (detail: string): never => {
  throw new AppError('malformed_request', { detail });
};

/** RFC 3986: pchar and `/`, percent-encoded or not; whatever else may be read in more ways than one. */
const PLAIN_PATH = /^\/[A-Za-z0-9\-._~!$&'()*+,;=:@/%]*$/;
const ABSOLUTE = /^https?:\/\/([^/?#]*)/i;
/** Where a host ends; user information is refused. */
// eslint-disable-next-line security/detect-unsafe-regex -- no part of it can match what another one does
const AUTHORITY = /^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?$/;
const ESCAPE = /%[0-9A-Fa-f]{2}|%/g;
const UNRESERVED = /[A-Za-z0-9\-._~]/;
/** NUL and other controls, and what is a separator to some servers and none to others: `/`, `\`. */
// eslint-disable-next-line no-control-regex -- these are the ones to find
const FORBIDDEN_ESCAPED = /[\u0000-\u001f\u007f/\\]/;

/** Decodes what need not be encoded and writes the rest in capitals (RFC 3986, 6.2.2). */
const normaliseEscapes = (path: string): string =>
  path.replaceAll(ESCAPE, (text) => {
    if (text === '%') return refuse('The path has a % that begins no escape');
    const character = String.fromCharCode(Number.parseInt(text.slice(1), 16));
    if (FORBIDDEN_ESCAPED.test(character)) return refuse('The path has an encoded slash or control character');
    return UNRESERVED.test(character) ? character : text.toUpperCase();
  });

/** Whether it is a host, with a port or without. */
export const isAuthority = (text: string): boolean => AUTHORITY.test(text);

const isUtf8 = (path: string): boolean => {
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
};

const checkSegments = (path: string): void => {
  const segments = path.split('/').slice(1);
  for (const [index, segment] of segments.entries()) {
    if (segment === '' && index < segments.length - 1) refuse('The path has an empty segment');
    // Some servers cut parameters (`;x`) off before they look for dots.
    const [name] = segment.split(';');
    if (name === '.' || name === '..') refuse('The path has a dot segment');
  }
};

const normalisePath = (raw: string): string => {
  if (!PLAIN_PATH.test(raw)) return refuse('The path has characters that must be encoded');
  const path = raw.includes('%') ? normaliseEscapes(raw) : raw;
  if (path.includes('%') && !isUtf8(path)) return refuse('The path is not UTF-8');
  checkSegments(path);
  return path;
};

/**
 * Reads a request target, before anything is decided by it. What could be read in two ways is refused rather than repaired: a
 * repaired path is one that the client did not ask for.
 *
 * @throws {AppError} `malformed_request`
 */
export const readTarget = (url: string): Target => {
  if (url.includes('#')) return refuse('The request target has a fragment');
  const absolute = ABSOLUTE.exec(url);
  const [prefix = '', authority] = absolute ?? [];
  if (authority !== undefined && !isAuthority(authority)) return refuse('The request target has no plain host');
  const rest = url.slice(prefix.length);
  const mark = rest.indexOf('?');
  const rawPath = mark < 0 ? rest : rest.slice(0, mark);
  return {
    path: normalisePath(rawPath === '' && authority !== undefined ? '/' : rawPath),
    query: mark < 0 ? '' : rest.slice(mark),
    host: authority,
  };
};
