/** Milliseconds since 1970 in the workflow's own time: it stands still between two tasks and is the same in a replay. */
export const now = (): number => Date.now();
