/** How long and how often everything is measured; times in seconds. */
export interface Plan {
  readonly rounds: number;
  /** Rounds of whole registrations and of accepted ones, which need time to drain. */
  readonly registrationRounds: number;
  readonly hashing: number;
  readonly login: number;
  readonly firstAnswer: number;
  readonly openLoop: number;
  readonly refresh: number;
  readonly me: number;
  /** Direct and through the gateway, each. */
  readonly gateway: number;
  readonly validateToken: number;
  readonly emptyWorkflow: number;
  readonly wholeRegistration: number;
  readonly accepted: number;
  /** Mails sent to learn what one costs. */
  readonly mails: number;
  /** Starts of the api process. */
  readonly starts: number;
}

export const FULL: Plan = {
  rounds: 3,
  registrationRounds: 3,
  hashing: 1.5,
  login: 5,
  firstAnswer: 3,
  openLoop: 8,
  refresh: 3,
  me: 3,
  gateway: 3,
  validateToken: 3,
  emptyWorkflow: 6,
  wholeRegistration: 6,
  accepted: 4,
  mails: 800,
  starts: 5,
};

export const QUICK: Plan = {
  rounds: 2,
  registrationRounds: 1,
  hashing: 1,
  login: 2.5,
  firstAnswer: 1.5,
  openLoop: 4,
  refresh: 1.5,
  me: 1.5,
  gateway: 1.5,
  validateToken: 1.5,
  emptyWorkflow: 4,
  wholeRegistration: 4,
  accepted: 2,
  mails: 400,
  starts: 3,
};
