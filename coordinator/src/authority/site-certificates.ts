import { RegulonError } from '@regulon/shared/errors';
import { parseStrict, renewalSchema, type Roster, verifyRenewal } from '@regulon/shared/plan';
import type { Authority } from './authority.js';

/** A renewal over the line is made for one answer. */
const MAX_AGE_MS = 600_000;

/** Certificates for sites that are connected, and whose old one ends soon. */
export class SiteCertificates {
  /** @param authority undefined when the founder keeps its key elsewhere */
  constructor(
    private readonly authority: Authority | undefined,
    private readonly roster: Roster,
    private readonly now: () => number,
  ) {}

  /**
   * A certificate for the TLS key of a renewal.
   *
   * @param site roster id behind the connection
   * @param given `regulon.renewal/1` as JSON, attacker-controlled
   * @returns PEM
   * @throws E_NOT_FOUND when this coordinator issues none; E_ROSTER when another member, or nobody, signed the renewal;
   *   E_CLOCK when it is older than ten minutes; E_CERTIFICATE when the request is not signed by its own key
   */
  async renew(site: number, given: Uint8Array): Promise<string> {
    if (this.authority === undefined)
      throw new RegulonError('E_NOT_FOUND', 'this coordinator issues no certificates', {
        hint: 'the founder of the federation sends them: `regulon fed renew`, `regulon site install`',
      });
    const renewal = parseStrict(renewalSchema, jsonOf(given), 'the renewal', 'E_ROSTER');
    const member = verifyRenewal(renewal, this.roster, this.now(), MAX_AGE_MS);
    if (member.id !== site)
      throw new RegulonError('E_ROSTER', `site ${site} sends the renewal of ${member.name}`);
    const { id, name, key: identityKey } = member;
    return this.authority.issueSite(renewal.csrPem, { id, name, identityKey });
  }
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown;
  } catch (cause) {
    throw new RegulonError('E_ROSTER', 'the renewal is no JSON', { cause });
  }
}
