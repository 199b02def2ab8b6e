/** A workflow that is about to end takes no more: another one may be started under its id. */
export interface Ending {
  readonly outcome: 'ending';
}
