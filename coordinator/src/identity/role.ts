/** What a person may be; one account has one role. */
export const roles = ['researcher', 'steward', 'auditor', 'operator'] as const;
export type Role = (typeof roles)[number];

/** Who sends a request: a person with an account, or whoever can read the token file on the coordinator's machine. */
export interface Caller {
  /** name of the account, or `token file` */
  readonly name: string;
  /** null: the token file, which opens every route */
  readonly role: Role | null;
  /** how the log names whoever it is */
  readonly id: string;
}

/** Whoever can read the token file. */
export const tokenFileCaller: Caller = { name: 'token file', role: null, id: 'token-file' };

/** Stewards and operators prove a second factor. */
export const needsSecondFactor = (role: Role): boolean => role === 'steward' || role === 'operator';
