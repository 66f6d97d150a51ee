import { runName } from '@regulon/shared/program';
import {
  type ConsistencySignature,
  hashOfAnswer,
  type Manifest,
  type SecAggClient,
  vectorLength,
} from '@regulon/shared/secagg';
import {
  attachmentOf,
  bandOf,
  type BodyOf,
  digestText,
  encodeConsistencySignatures,
  MediaType,
  type ScopeOf,
} from '@regulon/shared/transparency';
import type { SampleFederation } from '@regulon/shared/transparency-samples';
import type { AttemptRef, SiteLink } from './site-link.js';

const zero = digestText(new Uint8Array(32));
/** What every simulated site has committed to. */
export const COMMITMENT = digestText(new Uint8Array(32).fill(9));

/** What a contribution states. */
export interface Contribution {
  readonly client: SecAggClient;
  readonly manifest: Manifest;
  readonly h2: Uint8Array;
  /** Merkle root of the masked vector */
  readonly root: Uint8Array;
  /** digest of the feature specification */
  readonly specification: Uint8Array;
}

/** The log entries of one simulated site, in their order; each is written once. */
export class SiteEntries {
  /** entries that the log does not have yet */
  private readonly outbox: Uint8Array[] = [];
  private readonly written = new Set<string>();
  /** digest of the site's policy */
  policy = zero;

  constructor(
    private readonly link: SiteLink,
    private readonly name: string,
    /** of the site */
    private readonly units: number,
    private readonly federation: SampleFederation,
  ) {}

  contribution(ref: AttemptRef, { client, manifest, h2, root, specification }: Contribution): void {
    const at = new Date().toISOString();
    const isSilent = manifest.roles.find((r) => r.id === this.link.site)?.role === 1;
    this.write('round.contribution', ref, {
      context: digestText(client.ctx),
      role: isSilent ? 'silent' : 'contributor',
      modelIn: digestText(manifest.modelHash),
      ...{ code: zero, daemon: '0.1.0', policy: this.policy },
      ...{ dataset: 'toy', datasetVersion: 1, commitment: COMMITMENT },
      featureSpecification: digestText(specification),
      cohort: digestText(h2),
      maskedInput: { length: vectorLength(manifest), root: digestText(root) },
      ...{ charge: null, cached: null, sampler: null, band: bandOf(this.units) },
      window: { start: at, end: at },
      ...{ gate: { size: 1, root: zero }, attestation: null },
    });
  }

  /** An answer and the signatures that it stands on; they are put beside the log. */
  async unmask(
    ref: AttemptRef,
    client: SecAggClient,
    list: readonly ConsistencySignature[],
    answer: ReturnType<SecAggClient['unmask']>,
  ): Promise<void> {
    const signatures = encodeConsistencySignatures(list);
    await this.link.ask({ type: 'putAttachment', bytes: signatures });
    const about = (kind: 0 | 1): number[] =>
      answer.entries.filter((e) => e.kind === kind).map((e) => e.about);
    const h3 = client.h3();
    this.write('round.unmask', ref, {
      ...{ context: digestText(client.ctx), consistency: digestText(h3) },
      ...{ survivors: about(0), dropped: about(1), selfMask: about(0), maskKey: about(1) },
      answer: digestText(hashOfAnswer(client.ctx, h3, answer.entries)),
      signatures: attachmentOf(signatures, MediaType.consistencySignatures),
    });
  }

  /** Send what waits, in order; what fails stays for the next time. */
  async send(): Promise<void> {
    for (let entry = this.outbox[0]; entry; entry = this.outbox[0]) {
      await this.link.ask({ type: 'appendEntry', entry });
      this.outbox.shift();
    }
  }

  private write<K extends 'round.contribution' | 'round.unmask'>(
    kind: K,
    { run, round, attempt }: AttemptRef,
    body: BodyOf<K>,
  ): void {
    const scope = { run: runName(run), round, attempt };
    const name = [kind, scope.run, round, attempt].join(' ');
    if (this.written.has(name)) return;
    this.written.add(name);
    this.outbox.push(this.federation.entry(['site', this.name], kind, scope as ScopeOf<K>, body));
  }
}
