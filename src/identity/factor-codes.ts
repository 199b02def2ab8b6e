import { v5 as uuidv5, v7 as uuidv7 } from 'uuid';

import type { NewAuditEvent } from '../contracts/audit';
import type { Caller } from '../contracts/caller';
import type { BlindIndex } from '../contracts/data-protection';
import { AppError } from '../contracts/errors';
import type { FactorCodeRefusal, SentFactor } from '../contracts/factor-code-workflow';
import type { FactorCodeAccepted } from '../contracts/mfa';
import type { FactorCodeRepository, FactorCodeUse } from '../repositories/factor-code-repository';
import type { UserRepository } from '../repositories/user-repository';
import type { WorkflowStarter } from '../temporal/workflow-starter';

import type { RequestContext } from './contact-changes';
import type { LockOut } from './lock-out';

interface Dependencies {
  readonly factorCodes: Pick<FactorCodeRepository, 'request' | 'withdraw'>;
  readonly users: Pick<UserRepository, 'findById'>;
  readonly blindIndex: BlindIndex;
  readonly lockOut: Pick<LockOut, 'begin'>;
  readonly starter: Pick<WorkflowStarter, 'sendFactorCode'>;
  readonly recordAudit: (event: NewAuditEvent) => Promise<void>;
  /** Whether anybody sends SMS. */
  readonly canSendSms: boolean;
}

export interface FactorCodes {
  /**
   * Has a code sent; it is on its way for good once this returns. A repeated request is sent nothing more.
   * @throws {AppError} `resend_too_soon`, `resend_limit_reached`, `sms_unavailable`, `cooling_off`, `phone_not_verified`,
   *   `factor_not_found`, `service_unavailable`
   */
  send(use: FactorCodeUse, context: RequestContext): Promise<FactorCodeAccepted>;
  /** For a step-up of the caller's session. @throws {AppError} the same, and `login_delayed` */
  sendForStepUp(caller: Caller, factor: SentFactor, context: RequestContext): Promise<FactorCodeAccepted>;
}

/** Of the ids of codes that follow from a repetition id (RFC 9562, section 6.6). */
const CODE_NAMESPACE = '5c0f1a7e-2b94-4d0a-9c3b-6e1d8f4a7b20';

export const refusalError = (refusal: FactorCodeRefusal): AppError => {
  const options =
    'retryAfterMs' in refusal ? { retryAfterSeconds: Math.max(1, Math.ceil(refusal.retryAfterMs / 1_000)) } : undefined;
  switch (refusal.refused) {
    case 'too_soon':
      return new AppError('resend_too_soon', options);
    case 'limit_reached':
      return new AppError('resend_limit_reached', options);
    case 'channel_exhausted':
      return new AppError('sms_unavailable', options);
    case 'closed':
      return new AppError('invalid_token');
    case 'cooling_off':
    case 'phone_not_verified':
    case 'factor_not_found':
      return new AppError(refusal.refused, options);
  }
};

/** To what session a step-up is bound. */
export const stepUpBinding = ({ sessionId }: Pick<Caller, 'sessionId'>): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(Buffer.from(sessionId));

/** Codes that are sent as second factors of logins and step-ups. */
export const createFactorCodes = (deps: Dependencies): FactorCodes => {
  const { factorCodes, users, blindIndex, lockOut, starter, recordAudit, canSendSms } = deps;

  const send: FactorCodes['send'] = async (use, { origin, repetitionId }) => {
    const { userId, factor, purpose } = use;
    if (factor === 'sms_otp' && !canSendSms) throw new AppError('sms_unavailable');
    const codeId = repetitionId === undefined ? uuidv7() : uuidv5(repetitionId, CODE_NAMESPACE);
    const issued = await factorCodes.request({ ...use, codeId });
    if ('refused' in issued) throw refusalError(issued);
    try {
      await starter.sendFactorCode({ codeId, factor });
    } catch (error) {
      // What is not sent is not counted. Where it was sent all the same it finds no code, and says nothing.
      await factorCodes.withdraw(codeId);
      throw error;
    }
    const actor = purpose === 'LOGIN' ? ({ kind: 'anonymous' } as const) : ({ kind: 'user', id: userId } as const);
    const details = { factor, purpose: purpose.toLowerCase() };
    await recordAudit({ action: 'mfa.code_requested', actor, subjectId: userId, origin, details });
    return { expiresAt: issued.expiresAt.toISOString() };
  };

  return {
    send,

    async sendForStepUp(caller, factor, context) {
      const { userId } = caller;
      const user = await users.findById(userId);
      if (user === undefined) throw new AppError('invalid_token');
      await lockOut.begin({ field: 'email', index: blindIndex.of('email', user.email) }, context.origin);
      return send({ userId, factor, purpose: 'STEP_UP', boundTo: stepUpBinding(caller) }, context);
    },
  };
};
