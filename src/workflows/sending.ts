import { CancellationScope, isCancellation, setCurrentDetails } from '@temporalio/workflow';

/** Messages that are on their way. */
export interface Sending<Message> {
  start(message: Message): void;
  cancel(): void;
}

/**
 * Sends beside the waiting, not before it: with the mail server or the gateway down a process must still expire in time.
 *
 * @param told what the operator reads when a message was accepted, and when it was refused for good
 */
export const createSending = <Message>(
  send: (message: Message) => Promise<void>,
  told: { readonly sent: (message: Message) => string; readonly refused: (message: Message) => string },
): Sending<Message> => {
  const scope = new CancellationScope();
  return {
    start: (message) => {
      void scope
        .run(() => send(message))
        .then(
          () => {
            setCurrentDetails(told.sent(message));
          },
          (error: unknown) => {
            if (!isCancellation(error)) setCurrentDetails(told.refused(message));
          },
        );
    },
    cancel: () => {
      scope.cancel();
    },
  };
};
