import { encodeMessage, type Thresholds } from '@regulon/shared/secagg';
import { hex } from '@regulon/shared/crypto';
import type {
  ConsistencySignature,
  MaskedCommit,
  ShareKeys,
  SiteId,
  UnmaskAnswer,
} from '@regulon/shared/secagg';

/** Everything that left one honest site, each message once it was stored there. */
export class Released {
  /** what it was shown last, and took */
  u1: readonly SiteId[] = [];
  u2: readonly SiteId[] = [];
  u3: readonly SiteId[] = [];
  readonly confirmations: ConsistencySignature[] = [];
  readonly answers: UnmaskAnswer[] = [];
  /** h2 of each upload, hexadecimal */
  readonly uploads: string[] = [];
  private readonly seen = new Map<string, Set<string>>();

  dealt(u1: readonly SiteId[], shares: ShareKeys): void {
    this.u1 = u1;
    this.note('R1', encodeMessage('shares', shares));
  }

  uploaded(h2: Uint8Array, commit: MaskedCommit): void {
    this.uploads.push(hex(h2));
    this.note('upload', commit.root);
  }

  confirmed(u3: readonly SiteId[], signature: ConsistencySignature): void {
    this.u3 = u3;
    this.confirmations.push(signature);
    this.note('set of survivors', signature.sig);
  }

  answered(answer: UnmaskAnswer): void {
    this.answers.push(answer);
    this.note('answer', encodeMessage('answer', answer));
  }

  /** Different messages of a kind that left. */
  count(kind: 'R1' | 'upload' | 'set of survivors' | 'answer'): number {
    return this.seen.get(kind)?.size ?? 0;
  }

  private note(kind: string, bytes: Uint8Array): void {
    this.seen.set(kind, (this.seen.get(kind) ?? new Set()).add(hex(bytes)));
  }
}

/** What a coordinator with some colluding sites can open, and which rules the honest ones broke. */
export class Tally {
  /** there must be none */
  readonly violations: string[] = [];
  /** honest sites whose seed (b) or mask key (s) is open */
  readonly opened: { readonly b: SiteId[]; readonly s: SiteId[] } = { b: [], s: [] };

  /**
   * @param dealtWith thresholds by which secrets were shared among n sites @param promised those of the protocol
   */
  constructor(
    private readonly released: ReadonlyMap<SiteId, Released>,
    private readonly colluders: readonly SiteId[],
    private readonly dealtWith: (n: number) => Thresholds,
    private readonly promised: (n: number) => Thresholds,
  ) {
    for (const [id, own] of released) this.countSite(id, own);
    this.countSums();
  }

  private countSite(id: SiteId, own: Released): void {
    for (const kind of ['R1', 'upload', 'set of survivors', 'answer'] as const)
      if (own.count(kind) > 1) this.violations.push(`site ${id}: more than one ${kind}`);
    const [b, s] = [this.opens(0, id, own), this.opens(1, id, own)];
    if (b) this.opened.b.push(id);
    if (s) this.opened.s.push(id);
    if (b && s) this.violations.push(`site ${id}: both secrets are open`);
  }

  /** The least set of honest sites whose uploads the coordinator can sum: h of them are promised. */
  private countSums(): void {
    const groups = new Map<string, SiteId[]>();
    for (const [id, { uploads }] of this.released)
      for (const h2 of new Set(uploads)) groups.set(h2, [...(groups.get(h2) ?? []), id]);
    for (const members of groups.values()) {
      const { u1, u2 } = this.released.get(members[0] ?? 0) ?? new Released();
      const hidden = members.filter((id) => !this.opened.s.includes(id));
      const missing = u2.filter((id) => this.released.has(id) && !members.includes(id));
      const isOpen =
        hidden.every((id) => this.opened.b.includes(id)) && missing.every((id) => this.opened.s.includes(id));
      if (hidden.length > 0 && isOpen && hidden.length < this.promised(u1.length).h)
        this.violations.push(`a sum of only ${hidden.length} honest sites is open`);
    }
  }

  private opens(kind: 0 | 1, about: SiteId, own: Released): boolean {
    if (own.count('R1') === 0) return false;
    const holders = new Set(this.colluders.filter((id) => own.u1.includes(id)));
    for (const [id, { answers }] of this.released)
      for (const { entries } of answers)
        if (entries.some((entry) => entry.kind === kind && entry.about === about)) holders.add(id);
    return holders.size >= this.dealtWith(own.u1.length).t;
  }
}
