import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { ParentClosePolicy, setCurrentDetails, sleep, startChild } from '@temporalio/workflow';

import type { SigningKeyActivities } from '../activities/signing-key';
import { type SigningKeyRetirementInput, signingKeyRetirementId } from '../contracts/signing-key-workflow';

import { databaseActivities } from './activity-options';

const database = databaseActivities<SigningKeyActivities>();
const { publishSigningKey } = database('Make a key and publish it');
const { activateSigningKey } = database('Sign with the new key, retire the old one');
const { removeSigningKey } = database('Remove the key if its last token has ended');

/** A key that signs no more verifies until the last of its tokens has ended; then it goes. */
export async function signingKeyRetirement({ keyId }: SigningKeyRetirementInput): Promise<void> {
  for (;;) {
    const { remainingMs } = await removeSigningKey({ keyId });
    if (remainingMs === 0) break;
    setCurrentDetails(`Key ${keyId} signs no more. It is published until its last token has ended.`);
    await sleep(remainingMs, { summary: 'The last token ends' });
  }
  setCurrentDetails(`Key ${keyId} is gone.`);
}

/** One of its own, so that the next rotation need not wait for it. */
const retire = async (keyId: string): Promise<void> => {
  try {
    await startChild(signingKeyRetirement, {
      workflowId: signingKeyRetirementId(keyId),
      args: [{ keyId }],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      staticSummary: 'A signing key is retired',
      staticDetails: 'It signs no more tokens; it is published until the last of them has ended, then it is removed.',
    });
  } catch (error) {
    // It has been waiting since an earlier rotation.
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
};

/**
 * A new key comes to sign access tokens. It is published first, and long enough for every cache to have it; the old one goes
 * when its last token has ended. A rotation that was ended half-way leaves a pending key, which the next one takes up.
 */
export async function signingKeyRotation(): Promise<string> {
  setCurrentDetails('Making a key.');
  const { keyId, publishForMs } = await publishSigningKey();
  setCurrentDetails(`Key ${keyId} is published. It signs when every client has had the time to fetch it.`);
  await sleep(publishForMs, { summary: 'Clients fetch the new key' });
  const { retired } = await activateSigningKey({ keyId });
  for (const old of retired) await retire(old);
  setCurrentDetails(
    `Key ${keyId} signs. Still published until their last tokens end: ${retired.join(', ') || 'none'}.`,
  );
  return keyId;
}
