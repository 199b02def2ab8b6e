import { createHash } from 'node:crypto';

/** Encrypts the recorded histories and nothing else, so it may stand here. */
export const REPLAY_KEY = createHash('sha256').update('the key of the recorded histories').digest();
export const REPLAY_KEY_ID = 'replay';
