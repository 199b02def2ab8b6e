import { CancellationScope } from '@temporalio/workflow';

/** Undoes steps in reverse order. */
export interface Compensations {
  /** To be called before the step it undoes: a step that failed half-way is undone too. */
  push(undo: () => Promise<void>): void;
  /** Runs to the end even when the workflow is being cancelled. */
  unwind(): Promise<void>;
}

export const createCompensations = (): Compensations => {
  const undos: (() => Promise<void>)[] = [];
  return {
    push: (undo) => {
      undos.unshift(undo);
    },
    unwind: () =>
      CancellationScope.nonCancellable(async () => {
        for (const undo of undos.splice(0)) await undo();
      }),
  };
};
