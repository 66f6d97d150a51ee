import {
  boxBefore,
  equalBytes,
  hex,
  inclusionPaths,
  leafHashOf,
  rootOf,
  sha256,
  u32,
} from '../crypto/index.js';
import { RegulonError } from '../errors/index.js';
import { verifyTagged } from './hashing.js';
import type { SiteId } from './manifest.js';
import {
  ENVELOPE_BYTES,
  type AdvertiseKeys,
  type Complaint,
  type ShareDelivery,
  type ShareKeys,
} from './messages.js';
import { verifyAdvertise } from './r1-deal.js';
import { verifyDealer } from './r2-open.js';
import { memberKey } from './roster.js';
import { ServerCore } from './server-core.js';
import { byId, envelopeDigest } from './transcript.js';

/** any secret key shows whether a point is of low order */
const ANY_SCALAR = new Uint8Array(32).fill(8);

/** The coordinator in R0 and R1: it fixes U1 and U2 and hands on what the sites deal to each other. */
export abstract class DealingServer extends ServerCore {
  private readonly paths = new Map<SiteId, Uint8Array[][]>();

  /** R0. @throws E_STATE, E_ROSTER, E_SIG_R0, E_LOW_ORDER */
  addAdvertise(m: AdvertiseKeys): void {
    if (this.repeated('advertise', this.keys.get(m.id), m)) return;
    this.expect(this.stage === 0, 'U1 is fixed');
    if (!this.manifest.roles.some(({ id }) => id === m.id)) {
      throw new RegulonError('E_ROSTER', `site ${m.id} is not named in the plan`);
    }
    verifyAdvertise(this.ctx, this.roster, m);
    const known = new Set([...this.keys.values()].flatMap(({ cPk, sPk }) => [hex(cPk), hex(sPk)]));
    if (known.has(hex(m.cPk)) || known.has(hex(m.sPk)) || equalBytes(m.cPk, m.sPk)) {
      throw new RegulonError('E_LOW_ORDER', `site ${m.id} repeats a public key`);
    }
    for (const point of [m.cPk, m.sPk]) boxBefore(point, ANY_SCALAR);
    this.keys.set(m.id, m);
  }

  /** Fix U1. @returns L1, sorted @throws E_COHORT if too few sites came: go on waiting */
  closeU1(): AdvertiseKeys[] {
    if (this.stage === 0) this.verifyCohort('U1', this.u1);
    this.stage = Math.max(this.stage, 1) as 1 | 2 | 3;
    return byId(this.keys.values());
  }

  /** R1. @throws E_STATE, E_SIG_R1; E_SHARE if the message is not complete for U1 */
  addShares(m: ShareKeys): void {
    if (this.repeated('shares', this.shares.get(m.id), m)) return;
    this.expect(this.stage === 1 && this.keys.has(m.id), 'shares outside R1');
    const ids = this.u1;
    const sound = ids.every((id, rank) => {
      const [leaf, envelope] = [m.leaves[rank], m.envelopes[rank]];
      if (!leaf || !envelope || envelope.length !== (id === m.id ? 0 : ENVELOPE_BYTES)) return false;
      return leaf.length === 96 && equalBytes(leaf.subarray(0, 32), envelopeDigest(envelope));
    });
    if (!sound || m.leaves.length !== ids.length || m.envelopes.length !== ids.length) {
      throw new RegulonError('E_SHARE', `site ${m.id} did not deal to all of U1`, {
        details: { site: m.id },
      });
    }
    const root = rootOf(m.leaves);
    verifyDealer(
      { ctx: this.ctx, h1: this.h1, roster: this.roster },
      { id: m.id, cb: m.cb, root, sig: m.sig },
    );
    this.shares.set(m.id, m);
    this.roots.set(m.id, root);
  }

  /** Fix U2. @returns its ids, sorted @throws E_COHORT if too few sites are left: the attempt is over */
  closeU2(): SiteId[] {
    this.expect(this.stage >= 1, 'U1 is open');
    if (this.stage === 1) this.verifyCohort('U2', this.u2);
    this.stage = Math.max(this.stage, 2) as 2 | 3;
    return this.u2;
  }

  /** What U2 dealt to one of its members, sorted by dealer. @throws E_STATE if the site is not in U2 */
  deliveriesFor(to: SiteId): ShareDelivery[] {
    this.expect(this.stage >= 2 && this.shares.has(to), `no deliveries for site ${to}`);
    const rank = this.u1.indexOf(to);
    return byId(this.shares.values()).map(({ id: from, cb, leaves, envelopes, sig }) => {
      const leaf = leaves[rank] ?? new Uint8Array();
      const path = this.pathsOf(from, leaves)[rank] ?? [];
      const [root, envelope] = [
        this.roots.get(from) ?? new Uint8Array(),
        envelopes[rank] ?? new Uint8Array(),
      ];
      return { from, cb, root, sig, envelope, dB: leaf.slice(32, 64), dS: leaf.slice(64, 96), path };
    });
  }

  /** R2, a dispute: record it; the attempt must be aborted. @throws E_SIG_R1 if it is unsigned or about nothing that was sent */
  addComplaint(m: Complaint): void {
    this.expect(this.stage >= 2, 'a complaint before R2');
    const key = memberKey(this.roster, m.id);
    const fields = [this.h1, u32(m.sender), m.digest];
    const signed = verifyTagged({ key, ctx: this.ctx, tag: 'CMP', fields, sig: m.sig });
    const envelope = this.shares.get(m.sender)?.envelopes[this.u1.indexOf(m.id)];
    if (!signed || !envelope || !equalBytes(sha256(envelope), m.digest)) {
      throw new RegulonError('E_SIG_R1', `the complaint of site ${m.id} does not hold`, {
        details: { site: m.id },
      });
    }
    if (!this.disputes.some(({ id, sender }) => id === m.id && sender === m.sender)) this.disputes.push(m);
  }

  private pathsOf(dealer: SiteId, leaves: readonly Uint8Array[]): Uint8Array[][] {
    const paths = this.paths.get(dealer) ?? inclusionPaths(leaves.map(leafHashOf));
    this.paths.set(dealer, paths);
    return paths;
  }
}
