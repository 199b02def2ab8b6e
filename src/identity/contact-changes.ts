import { randomUUID } from 'node:crypto';

import { v5 as uuidv5, v7 as uuidv7 } from 'uuid';

import type { NewAuditEvent, RequestOrigin } from '../contracts/audit';
import type { Caller } from '../contracts/caller';
import type { ChangeEmailRequest, ChangePhoneRequest } from '../contracts/contact-change';
import {
  contactChangeWorkflowId,
  type ContactChannel,
  contactLocation,
  contactOriginLocation,
  type ContactRequestOutcome,
} from '../contracts/contact-change-workflow';
import type { BlindIndex, FieldCipher } from '../contracts/data-protection';
import { AppError } from '../contracts/errors';
import type { ContactChangeRepository } from '../repositories/contact-change-repository';
import type { WorkflowStarter } from '../temporal/workflow-starter';

import type { Reauthentication } from './reauthentication';

interface Dependencies {
  readonly reauthentication: Reauthentication;
  readonly blindIndex: BlindIndex;
  readonly cipher: Pick<FieldCipher, 'encrypt'>;
  readonly contactChanges: Pick<ContactChangeRepository, 'wasCompletedBy'>;
  readonly starter: Pick<WorkflowStarter, 'requestContactChange' | 'confirmContactChange'>;
  readonly recordAudit: (event: NewAuditEvent) => Promise<void>;
  /** Whether anybody sends SMS. */
  readonly canSendSms: boolean;
  /** Life of a code, milliseconds. */
  readonly expiresInMs: number;
}

/** Where a request came from, and what its repetition has in common with it (see `RouteRequest`). */
export interface RequestContext {
  readonly origin: RequestOrigin;
  readonly repetitionId?: string | undefined;
}
export interface AcceptedChange {
  readonly status: 'verification_pending';
  readonly expiresAt: string;
}

export interface ContactChanges {
  /**
   * Has a code sent to the number: the same answer, in the same time, whoever has it.
   * @throws {AppError} `sms_unavailable`, `reauthentication_required`, `invalid_credentials`, `login_delayed`, `resend_too_soon`,
   *   `resend_limit_reached`, `service_unavailable`
   */
  requestPhone(caller: Caller, request: ChangePhoneRequest, context: RequestContext): Promise<AcceptedChange>;
  /** Likewise, to the address. @throws {AppError} the same but `sms_unavailable` and `reauthentication_required` */
  requestEmail(caller: Caller, request: ChangeEmailRequest, context: RequestContext): Promise<AcceptedChange>;
  /** Changes the contact. @throws {AppError} `invalid_code`, `too_many_attempts`, `cooling_off`, `service_unavailable` */
  confirm(channel: ContactChannel, caller: Caller, code: string, context: RequestContext): Promise<void>;
}

const seconds = (milliseconds: number): number => Math.max(1, Math.ceil(milliseconds / 1_000));

/** Of the ids of changes that follow from a repetition id (RFC 9562, section 6.6). */
const CHANGE_NAMESPACE = '7d1b3c52-9f4e-4c68-a0d5-2e8f6b7a9c31';
/** The same for each repetition id: a repeated request asks for the same code again. */
const changeIdOf = (repetitionId: string | undefined): string =>
  repetitionId === undefined ? uuidv7() : uuidv5(repetitionId, CHANGE_NAMESPACE);

/** @throws {AppError} for every outcome but a code that was stored */
const acceptedOf = (result: ContactRequestOutcome): AcceptedChange => {
  switch (result.outcome) {
    case 'issued':
      return { status: 'verification_pending', expiresAt: new Date(result.expiresAt).toISOString() };
    case 'too_soon':
      throw new AppError('resend_too_soon', { retryAfterSeconds: seconds(result.retryAfterMs) });
    case 'limit_reached':
      throw new AppError('resend_limit_reached', { retryAfterSeconds: seconds(result.retryAfterMs) });
    case 'channel_exhausted':
      throw new AppError('sms_unavailable', { retryAfterSeconds: seconds(result.retryAfterMs) });
    case 'closed':
      throw new AppError('invalid_token');
  }
};

export const createContactChanges = (deps: Dependencies): ContactChanges => {
  const { reauthentication, blindIndex, cipher, contactChanges, starter, recordAudit, expiresInMs } = deps;

  const request = async (
    channel: ContactChannel,
    { userId }: Caller,
    contact: string,
    { origin, repetitionId }: RequestContext,
  ): Promise<AcceptedChange> => {
    const changeId = changeIdOf(repetitionId);
    const result = await starter.requestContactChange({
      input: { channel, userId, expiresInMs },
      request: {
        changeId,
        contactIndex: Buffer.from(blindIndex.of(channel, contact)).toString('hex'),
        contactCiphertext: await cipher.encrypt(contact, contactLocation(changeId, userId)),
      },
      updateId: randomUUID(),
    });
    const accepted = acceptedOf(result);
    await recordAudit({
      action: `user.${channel}_change_requested`,
      actor: { kind: 'user', id: userId },
      subjectId: userId,
      origin,
      workflowId: contactChangeWorkflowId(channel, userId),
      details: { changeId },
    });
    return accepted;
  };

  return {
    async requestPhone(caller, { phone, currentPassword }, context) {
      if (!deps.canSendSms) throw new AppError('sms_unavailable');
      if (currentPassword === undefined) reauthentication.byRecentLogin(caller);
      else await reauthentication.byPassword(caller, currentPassword, 'phone', context.origin);
      return request('phone', caller, phone, context);
    },

    async requestEmail(caller, { email, currentPassword }, context) {
      await reauthentication.byPassword(caller, currentPassword, 'email', context.origin);
      return request('email', caller, email, context);
    },

    async confirm(channel, { userId, sessionId }, code, { origin, repetitionId }) {
      const attemptId = repetitionId ?? randomUUID();
      const originCiphertext = await cipher.encrypt(JSON.stringify(origin), contactOriginLocation(userId));
      const attempt = { code, attemptId, sessionId, originCiphertext };
      const result = await starter.confirmContactChange({ channel, userId }, attempt);
      if (result?.outcome === 'changed') return;
      if (result?.outcome === 'cooling_off')
        throw new AppError('cooling_off', { retryAfterSeconds: seconds(result.retryAfterMs) });
      if (result !== undefined) throw new AppError(result.outcome);
      // None is open: perhaps because this very request has completed it, and its answer was lost.
      if (!(await contactChanges.wasCompletedBy(userId, channel, attemptId))) throw new AppError('invalid_code');
    },
  };
};
