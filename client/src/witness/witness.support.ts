/** A log in memory and a site that follows it, for specs. */
import { join } from 'node:path';
import { sha256 } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { digestText, entryHash, LogTree, parseEntry, signCheckpoint } from '@regulon/shared/transparency';
import { verifyAgreement } from '../policy/index.js';
import {
  contractBytes,
  datasetBy,
  origin,
  run,
  seedOf,
  signedEntry,
  siteNames,
  testFederation,
  testPlan,
  testSite,
} from '../policy/site.support.js';
import { entrySealer } from '../rounds/attempt/entries.js';
import { Outbox, SiteState } from '../state/index.js';
import { temporaryFolder } from '../state/temporary-folder.support.js';
import type { Cosigner } from './cosigner.js';
import { LogFollower } from './log-follower.js';
import type { FollowLimits, LogSource } from './log-source.js';

export const federation = testFederation();
export const digest = digestText(sha256());

/** A log in memory, as an honest or a lying coordinator shows it. */
export class TestLog {
  readonly entries: Uint8Array[] = [federation.genesis];

  add(...entries: Uint8Array[]): this {
    this.entries.push(...entries);
    return this;
  }

  note(size = this.entries.length, seed = seedOf('log')): string {
    const tree = new LogTree();
    this.entries.forEach((entry) => tree.append(entryHash(entry)));
    return signCheckpoint({ origin, size, root: tree.root(size) }, { keyName: origin, seed });
  }
}

/** What site a agreed on. */
export const agreement = verifyAgreement(
  ...([contractBytes(testPlan()), run, federation, testSite(federation)] as const),
  Date.parse('2026-11-21T00:00:00Z'),
);
export const start = (changes: object = {}): Uint8Array =>
  signedEntry(
    'run.start',
    'coordinator',
    0,
    {
      ...{ planHash: digestText(agreement.contract.planHash), proposal: 0, approvals: [] },
      ...{ sites: [1, 2, 3, 4, 5], initialModel: null, featureSpecification: null, public: true, ...changes },
    },
    { run },
  );
/** An entry of a site. */
export const note = (id: number): Uint8Array =>
  signedEntry('config.start', 'site', id, {
    ...{ nonce: 'ab'.repeat(32), version: '1', software: null, configuration: null },
  });
export const commits = (): Uint8Array[] => siteNames.map((_, i) => datasetBy(i + 1));
/** An attempt of a round ends without a sum. */
export const abort = (round: number): Uint8Array =>
  signedEntry(
    'round.abort',
    'coordinator',
    0,
    {
      ...{ context: digest, stage: 'r2', code: 'E_COHORT', reason: 'E_COHORT', lastHash: digest },
      ...{ transcript: digest, abortSignature: `${'A'.repeat(86)}==`, complaint: null, answersSent: false },
    },
    { run, round, attempt: 0 },
  );
export const aggregate = (round: number): Uint8Array =>
  signedEntry(
    'round.aggregate',
    'coordinator',
    0,
    {
      ...{ context: digest, u1: [1], u2: [1], u3: [1], h1: digest, h2: digest, h3: digest, dropped: [] },
      ...{
        contributions: [],
        unmasks: [],
        thresholds: { N: 5, M: 5, n: 5, c: 1, quorum: 4, t: 4, uMin: 4, h: 3 },
      },
      ...{ aggregateRoot: digest, transcript: digest, closeSignature: `${'A'.repeat(86)}==`, strategy: null },
      ...{
        serverNoise: null,
        modelOut: digest,
        coverage: { sites: 5, band: '100-199' },
        worker: 'local',
        fence: 1,
      },
      evidence: { digest, size: 1, mediaType: 'application/json' },
    },
    { run, round, attempt: 0 },
  );

/** What a coordinator shows that keeps these entries from an index on, and these attachments. */
export function showing(
  entries: readonly Uint8Array[],
  minimum = 0,
  attachments: ReadonlyMap<string, Uint8Array> = new Map(),
): LogSource {
  return {
    entries: async (from, to) => {
      if (from < minimum) throw new RegulonError('E_PRUNED', `entry ${from} of the log was pruned`);
      return entries.slice(from, to);
    },
    hashes: async (from, to) => ({ hashes: entries.slice(from, to).map(entryHash), minimum }),
    attachment: async (digest) => attachments.get(digest) ?? new Uint8Array(0),
  };
}

/** Site a: its state, its outbox, which may hold one entry, `note(1)`, and its view of the log. */
export class FollowingSite {
  readonly log = new TestLog();
  readonly state = SiteState.open(join(temporaryFolder('witness'), 'state'), {
    ...{ site: 'a', federationId: 'fed_test', rosterHash: 'ab', identityKey: 'cd' },
  });
  clock = 0;
  outbox!: Outbox;
  follower!: LogFollower;
  /** in gate mode cosigned; set before `restart` */
  cosigner?: Cosigner;

  constructor() {
    this.restart();
  }

  /** Another process with the same state. */
  restart(limits?: FollowLimits, shown: Partial<LogSource> = {}): void {
    const first = { seq: 0, bytes: note(1), hash: entryHash(note(1)) };
    const seal = entrySealer(federation.keys, 'fed_test', 'a', seedOf('site', 1));
    const { state } = this;
    this.outbox = new Outbox(
      state,
      (draft) => (draft.kind === 'config.start' && !draft.previous ? first : seal(draft)),
      () => this.clock,
    );
    const source = { ...showing(this.log.entries), ...shown };
    const followed = { ...federation, site: 'a' };
    this.follower = new LogFollower(state, this.outbox, followed, source, this.cosigner, limits);
  }

  /** The site writes `note(1)`, and the coordinator acknowledges it at this place. */
  async acknowledged(index: number): Promise<void> {
    this.outbox.append('config.start', {}, parseEntry(note(1)).body);
    await this.outbox.drain(async () => index);
  }
}
