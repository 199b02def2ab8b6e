import type { Answer } from './http-client';
import { newPerson, type Person, signUp } from './people';
import type { TestService } from './service';
import { createSoftAuthenticator, type ResponseOptions, type SoftAuthenticator } from './soft-authenticator';

export const PASSKEY_SUSPECTED_SUBJECT = /We refused a passkey/;
const PATH = '/v1/auth/passkeys';

type Headers = Readonly<Record<string, string>>;

export const registrationOptions = ({ http }: TestService, token: string, body: object = {}): Promise<Answer> =>
  http.post(`${PATH}/registration/options`, body, { token });
export const completeRegistration = (
  { http }: TestService,
  token: string,
  enrollmentId: unknown,
  credential: unknown,
) => http.post(`${PATH}/registration/verify`, { enrollmentId, credential }, { token });
export const loginOptions = ({ http }: TestService, body: object = {}, headers: Headers = {}): Promise<Answer> =>
  http.post(`${PATH}/login/options`, body, { headers });
export const showPasskey = ({ http }: TestService, credential: unknown, headers: Headers = {}): Promise<Answer> =>
  http.post(`${PATH}/login/verify`, { credential }, { headers });
export const stepUpOptions = ({ http }: TestService, token: string): Promise<Answer> =>
  http.post(`${PATH}/step-up/options`, undefined, { token });
export const completeStepUp = ({ http }: TestService, token: string, credential: unknown): Promise<Answer> =>
  http.post(`${PATH}/step-up/verify`, { credential }, { token });

/** Makes a passkey with an authenticator and registers it. */
export const registerPasskey = async (
  service: TestService,
  token: string,
  authenticator: SoftAuthenticator,
  options: ResponseOptions = {},
  body: object = {},
): Promise<Answer> => {
  const { status, body: begun } = await registrationOptions(service, token, body);
  if (status !== 201) throw new Error(`No registration was begun: ${JSON.stringify(begun)}`);
  const credential = authenticator.create(begun.publicKey, options);
  return completeRegistration(service, token, begun.enrollmentId, credential);
};

/** Logs in with the passkey alone, or after the password by its token. */
export const logInWithPasskey = async (
  service: TestService,
  authenticator: SoftAuthenticator,
  options: ResponseOptions = {},
  mfaToken?: string,
): Promise<Answer> => {
  const { body } = await loginOptions(service, mfaToken === undefined ? {} : { mfaToken });
  return showPasskey(service, authenticator.get(body.publicKey, options));
};

export const stepUpWithPasskey = async (
  service: TestService,
  token: string,
  authenticator: SoftAuthenticator,
  options: ResponseOptions = {},
): Promise<Answer> => {
  const { body } = await stepUpOptions(service, token);
  return completeStepUp(service, token, authenticator.get(body.publicKey, options));
};

export interface PasskeyOwner {
  readonly person: Person;
  readonly userId: string;
  /** Of a session that was opened before there was a passkey. */
  readonly token: string;
  readonly sessionId: string;
  readonly authenticator: SoftAuthenticator;
  readonly factorId: string;
  readonly recoveryCodes: readonly string[];
}

/** Somebody whose only factor is a passkey. */
export const passkeyOwner = async (
  service: TestService,
  origin: string,
  options: ResponseOptions = {},
): Promise<PasskeyOwner> => {
  const person = newPerson();
  const { body: account } = await signUp(service, person);
  const authenticator = createSoftAuthenticator({ origin });
  const token = account.accessToken as string;
  const { body } = await registerPasskey(service, token, authenticator, options);
  const [userId, sessionId] = [account.user.id as string, account.sessionId as string];
  const { factorId, recoveryCodes } = body as { factorId: string; recoveryCodes: string[] };
  return { person, userId, token, sessionId, authenticator, factorId, recoveryCodes };
};
