/**
 * Logs a person in, asks whether the token is good, sees why a wrong password is refused, logs out and asks again.
 * Takes AUTH_GRPC_ADDRESS, AUTH_SERVICE_TOKEN, AUTH_EMAIL and AUTH_PASSWORD from the environment; prints one line of JSON.
 * For TLS AUTH_CA_FILE, for mutual TLS AUTH_CERTIFICATE_FILE and AUTH_PRIVATE_KEY_FILE as well: then no token is needed.
 */
import { readFileSync } from 'node:fs';

import { AuthError, connect, type Security } from '@meqenet/auth-client';

const fromEnvironment = (name: string): string => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
};

const fileIn = (name: string): Buffer | undefined => {
  const path = process.env[name];
  // eslint-disable-next-line security/detect-non-literal-fs-filename -- whoever runs this says where the file is
  return path ? readFileSync(path) : undefined;
};

const readSecurity = (): Security => {
  const ca = fileIn('AUTH_CA_FILE');
  // On this machine only.
  if (ca === undefined) return { kind: 'plaintext' };
  const [certificate, privateKey] = [fileIn('AUTH_CERTIFICATE_FILE'), fileIn('AUTH_PRIVATE_KEY_FILE')];
  return { kind: 'tls', ca, ...(certificate && privateKey && { certificate, privateKey }) };
};

const main = async (): Promise<void> => {
  const auth = connect({
    address: fromEnvironment('AUTH_GRPC_ADDRESS'),
    security: readSecurity(),
    ...(process.env.AUTH_SERVICE_TOKEN && { serviceToken: process.env.AUTH_SERVICE_TOKEN }),
    deadlineMs: 10_000,
  });
  const [email, password] = [fromEnvironment('AUTH_EMAIL'), fromEnvironment('AUTH_PASSWORD')];
  const identifier = { $case: 'email', value: email } as const;

  const { result } = await auth.authenticateUser({ identifier, password });
  if (result?.$case !== 'tokens') throw new Error('A second factor is needed');
  const { accessToken, sessionId } = result.value;
  // Tried again by gRPC itself while the server is away, within the deadline of the call.
  const before = await auth.validateToken({ accessToken }, { deadlineMs: 2_000 });

  const refused = await auth.authenticateUser({ identifier, password: `${password} not` }).catch((error: unknown) => {
    if (error instanceof AuthError) return error;
    throw error;
  });
  const malformed = await auth.authenticateUser({ identifier: undefined, password }).catch((error: unknown) => error);

  await auth.logoutUser({ accessToken });
  const after = await auth.validateToken({ accessToken });
  auth.close();
  console.log(
    JSON.stringify({
      subject: before.subject,
      sessionMatches: before.sessionId === sessionId,
      roles: before.roles,
      validBefore: before.valid,
      wrongPassword: refused instanceof AuthError ? refused.reason : 'accepted',
      text: refused instanceof AuthError ? refused.localizedMessage : 'accepted',
      malformed: malformed instanceof AuthError ? malformed.reason : 'accepted',
      violations: malformed instanceof AuthError ? malformed.violations.map(({ reason }) => reason) : [],
      validAfter: after.valid,
    }),
  );
};

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
