import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

import { v7 as uuidv7 } from 'uuid';

import { type ErrorCode, ERRORS } from '../contracts/errors';
import { PROBLEM_TYPE } from './problem';
import { AMHARIC_DETAILS } from './problem-am';

const BY_ERROR_CODE: Readonly<Record<string, ErrorCode>> = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
};

/** Whether an answer is already on its way on this connection; node's own handler asks the same (lib/_http_server.js). */
const isAnswering = (socket: Duplex): boolean =>
  (socket as Duplex & { _httpMessage?: ServerResponse | null })._httpMessage?.headersSent === true;

/** Answers what node's parser could not make a request of, and ends the connection. */
export const answerClientError = (error: NodeJS.ErrnoException, socket: Duplex): void => {
  if (error.code === 'ECONNRESET' || !socket.writable || isAnswering(socket)) {
    socket.destroy(error);
    return;
  }
  const code = BY_ERROR_CODE[error.code ?? ''] ?? 'malformed_request';
  const { status, title } = ERRORS[code];
  const requestId = uuidv7();
  const body = JSON.stringify({
    type: `urn:meqenet:problem:${code}`,
    title,
    status,
    // In both languages: what the client prefers was not read.
    detail: `${title} / ${AMHARIC_DETAILS[code]}`,
    // There is no path to name; RFC 9457 wants a URI of this occurrence.
    instance: `urn:uuid:${requestId}`,
    code,
    requestId,
  });
  const head = [
    `HTTP/1.1 ${String(status)} ${STATUS_CODES[status] ?? ''}`,
    `Content-Type: ${PROBLEM_TYPE}`,
    `Content-Length: ${String(Buffer.byteLength(body))}`,
    `X-Request-Id: ${requestId}`,
    'Cache-Control: no-store',
    'X-Content-Type-Options: nosniff',
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
};
