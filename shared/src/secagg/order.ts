import { RegulonError } from '../errors/index.js';

/** A call that comes too early or too late; nothing was signed and nothing ends. */
export class OutOfOrder extends RegulonError {
  constructor(what: string) {
    super('E_STATE', `secure aggregation, out of order: ${what}`);
  }
}

/** A message that contradicts an earlier one of the same attempt: at a site this ends the attempt. */
export function contradiction(what: string): RegulonError {
  return new RegulonError('E_STATE', `secure aggregation, contradiction: ${what}`);
}
