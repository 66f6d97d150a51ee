import { fromHex, hex } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import {
  AttemptServer,
  decodeManifest,
  decodeMessage,
  type MessageOfKind,
  type RosterView,
} from '@regulon/shared/secagg';
import { uploadIdOf } from '@regulon/shared/wire';
import type { AttemptKey, RoundRows } from '../storage/index.js';
import type { AnswerPhase, RoundState } from './machine/index.js';

/** Kinds of stored messages by the stage that collects them. */
export const kindOfPhase = {
  advertise: 'advertise',
  share: 'shares',
  input: 'commit',
  consistency: 'consistency',
  unmask: 'answer',
} as const satisfies Record<AnswerPhase, keyof MessageOfKind>;

/** One attempt in memory: its manifest and the protocol machine, rebuilt from rows after a crash. */
export class Attempt {
  readonly server: AttemptServer;
  private readonly uploadSites = new Map<string, number>();

  constructor(
    readonly key: AttemptKey,
    readonly manifestBytes: Uint8Array,
    readonly signature: Uint8Array,
    roster: RosterView,
    uncounted: readonly number[],
  ) {
    this.server = new AttemptServer({ manifest: decodeManifest(manifestBytes), roster, uncounted });
  }

  get ctx(): Uint8Array {
    return this.server.ctx;
  }

  /** Verify one message and take it in. @throws the protocol's named error; nothing has changed then */
  take(phase: AnswerPhase, site: number, bytes: Uint8Array): void {
    const limits = { n: this.server.manifest.N };
    const own = <T extends { id: number }>(message: T): T => {
      if (message.id === site) return message;
      throw new RegulonError('E_MESSAGE', `site ${site} sent a message of site ${message.id}`);
    };
    switch (phase) {
      case 'advertise':
        return this.server.addAdvertise(own(decodeMessage('advertise', bytes, limits)));
      case 'share':
        return this.server.addShares(own(decodeMessage('shares', bytes, limits)));
      case 'input':
        return this.server.addCommit(own(decodeMessage('commit', bytes, limits)));
      case 'consistency':
        return this.server.addConsistency(own(decodeMessage('consistency', bytes, limits)));
      case 'unmask':
        return this.server.addAnswer(own(decodeMessage('answer', bytes, limits)));
    }
  }

  /** Fix a set, the same one that the round machine decided on. */
  fix(set: 'u1' | 'u2' | 'u3', members: readonly number[]): void {
    if (set === 'u1') this.server.closeU1();
    else if (set === 'u2') this.server.closeU2();
    else this.server.closeU3();
    const fixed = this.server[set];
    if (fixed.join() !== members.join()) {
      throw new RegulonError(
        'E_INTERNAL',
        `${set} is ${fixed.join()} in one machine and ${members.join()} in the other`,
      );
    }
    if (set === 'u2') for (const id of fixed) this.uploadSites.set(hex(this.uploadId(id)), id);
  }

  /** What R2 of a site is tied to: h2 of its group. @throws E_STATE before U2 is fixed, or outside U1 */
  h2Of(site: number): Uint8Array {
    return this.server.groupOf(site).h2;
  }

  /** Deterministic id of a site's upload, 16 bytes; known once U2 is fixed. */
  uploadId(site: number): Uint8Array {
    return uploadIdOf(this.ctx, this.h2Of(site), site);
  }

  /** The site behind an upload id of this attempt. */
  siteOfUpload(uploadId: Uint8Array): number | undefined {
    return this.uploadSites.get(hex(uploadId));
  }

  /** Ids of all uploads of this attempt; none before U2 is fixed. */
  uploadIds(): Uint8Array[] {
    return [...this.uploadSites.keys()].map((id) => fromHex(id));
  }

  /** A closed attempt, rebuilt from its rows. */
  static ofRows(
    rows: Pick<RoundRows, 'messages'>,
    row: { run_id: Uint8Array; round: number; attempt: number; manifest: Uint8Array; signature: Uint8Array },
    roster: RosterView,
  ): Attempt {
    const key = { runId: row.run_id, round: row.round, attempt: row.attempt };
    const attempt = new Attempt(key, row.manifest, row.signature, roster, []);
    const sitesOf = (phase: AnswerPhase): number[] =>
      rows.messages(key, kindOfPhase[phase]).map((m) => m.site);
    const sets = { u1: sitesOf('advertise'), u2: sitesOf('share'), u3: sitesOf('input') };
    attempt.replay(rows, { phase: 'fold', ...sets });
    return attempt;
  }

  /** Feed the stored messages of the stages that the state has reached. */
  replay(rows: Pick<RoundRows, 'messages'>, state: Pick<RoundState, 'phase' | 'u1' | 'u2' | 'u3'>): void {
    const reached = ['advertise', 'share', 'input', 'consistency', 'unmask', 'fold'].indexOf(state.phase);
    const feed = (phase: AnswerPhase): void => {
      for (const { site, bytes } of rows.messages(this.key, kindOfPhase[phase]))
        this.take(phase, site, bytes);
    };
    feed('advertise');
    if (reached >= 1) this.fix('u1', state.u1);
    if (reached >= 1) feed('share');
    if (reached >= 2) this.fix('u2', state.u2);
    if (reached >= 2) feed('input');
    if (reached >= 3) this.fix('u3', state.u3);
    if (reached >= 3) feed('consistency');
    if (reached >= 4) feed('unmask');
  }
}
