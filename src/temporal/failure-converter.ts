import { DefaultFailureConverter } from '@temporalio/common';

/** Messages and stacks of failures go through the codec too. Temporal loads this module by path, in the sandbox as well. */
export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
