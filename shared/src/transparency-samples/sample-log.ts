import { hex, leafHashOf, rootOfBytes, sha256, utf8 } from '../crypto/index.js';
import type { SignedRoster } from '../plan/index.js';
import {
  type ActorType,
  type Attachment,
  attachmentOf,
  type BodyOf,
  bundleFiles,
  CHAIN_START,
  cosign,
  digestText,
  encodeEntryBundle,
  hashTileOf,
  KeyHistory,
  keysOfGenesis,
  type Kind,
  LogTree,
  type NamedSeed,
  newTiles,
  nextChain,
  parseEntry,
  parseNote,
  type ScopeOf,
  signCheckpoint,
  siteCheckpointPath,
  TILE_WIDTH,
  tilePath,
  withCosignatures,
  writeBundle,
} from '../transparency/index.js';
import { SampleFederation } from './sample-federation.js';
import { type SampleOptions, samplePlanHash } from './sample-options.js';

/** A log in memory: entries are taken as they come, right or wrong. */
export class SampleLog {
  readonly entries: Uint8Array[] = [];
  readonly attachments = new Map<string, Uint8Array>();
  /** masked vectors of closed rounds, of survivors and others, by `round-attempt/site` */
  readonly masked = new Map<string, Uint8Array>();

  /** sums and models of training rounds whose models follow from the sums, by digest text */
  readonly kept = new Map<string, Uint8Array>();

  /** digest text of the plan of its run */
  readonly planHash: string;
  readonly federation: SampleFederation;
  /** rosters and keys, as they changed */
  readonly history: KeyHistory;
  private readonly written = new Map<string, number>();

  constructor(private readonly options: SampleOptions = {}) {
    const { gateMode = 'signed', sites = 5, retention } = options;
    this.planHash = samplePlanHash(options);
    this.federation = new SampleFederation(sites, SampleFederation.ticking(), {
      gateMode,
      ...(retention && { retention }),
    });
    const { federation } = this;
    federation.genesis.attachments.forEach((bytes) => this.attach(bytes, 'application/json'));
    this.add(federation.genesisEntry);
    const keys = keysOfGenesis(parseEntry(federation.genesisEntry), (digest) => this.attachments.get(digest));
    this.history = new KeyHistory(keys, federation.roster);
  }

  /** How its run protects patients, if it does. */
  get privacy(): SampleOptions['privacy'] {
    return this.options.privacy;
  }

  /** Size of the checkpoint that opens the gate of a round. @param start index of run.start */
  gateSize(start: number): number {
    return this.options.freshGates ? this.entries.length : start + 1;
  }

  /** Roster ids of the sites that say what left them. */
  get egress(): readonly number[] {
    return this.options.egress ?? [];
  }

  /** Keep a sum or a model. @returns its digest text */
  keep(bytes: Uint8Array): string {
    const digest = digestText(rootOfBytes(bytes));
    this.kept.set(digest, bytes);
    return digest;
  }

  /** Append an entry. @returns its index */
  add(entry: Uint8Array): number {
    return this.entries.push(entry) - 1;
  }

  /** Sign and append the next entry of an actor, spoiled as the options say. @returns its index, −1 when left out */
  write<K extends Kind>(
    actor: readonly [ActorType, string],
    kind: K,
    scope: ScopeOf<K>,
    body: BodyOf<K>,
    others: NamedSeed[] = [],
  ): number {
    const seen = this.written.get(kind) ?? 0;
    this.written.set(kind, seen + 1);
    const word = this.options.before?.(kind, seen);
    if (word) {
      const others = (word.seconds ?? []).map((id) => this.federation.administrator(id));
      this.add(this.federation.entry(['steward', word.site], word.kind, {}, word.body, others));
    }
    if (this.options.omit?.(kind, seen) === true) return -1;
    const spoiled = this.options.spoil?.(kind, { ...body }, seen) ?? body;
    return this.add(this.federation.entry(actor, kind, scope, spoiled as BodyOf<K>, others));
  }

  /** Append the entry of a roster that follows the one in force. @returns its index */
  change(signed: SignedRoster): number {
    const { kind, body, attachments } = this.history.successionOf(signed);
    attachments.forEach((bytes) => this.attach(bytes, 'application/json'));
    const index = this.write(['coordinator', 'coordinator'], kind, {}, body);
    this.history.append(signed, index);
    return index;
  }

  attach(bytes: Uint8Array, mediaType: string): Attachment {
    this.attachments.set(digestText(sha256(bytes)), bytes);
    return attachmentOf(bytes, mediaType);
  }

  /** Linear chain and size before the next entry. */
  end(): { chain: string; size: number } {
    const chain = this.entries.reduce((value, entry) => nextChain(value, leafHashOf(entry)), CHAIN_START);
    return { chain: digestText(chain), size: this.entries.length };
  }

  /** Signed checkpoint over the first entries. */
  note(size = this.entries.length): string {
    const { genesis, logSeed } = this.federation;
    const root = this.tree().root(size);
    return signCheckpoint({ origin: genesis.origin, size, root }, { keyName: genesis.origin, seed: logSeed });
  }

  /** Root of the first entries. */
  rootAt(size: number): Uint8Array {
    return this.tree().root(size);
  }

  /**
   * Checkpoint over the first entries with cosignatures.
   *
   * @param sites names of those that cosign; all by default
   * @param time seconds since 1970; by default when its last entry was signed
   */
  cosigned(size = this.entries.length, sites?: readonly string[], time = SampleLog.timeOf(size)): string {
    const { genesis } = this.federation;
    const { members, witnesses } = this.history.at(size);
    const names = sites ?? members.map(({ name }) => name);
    const note = this.note(size);
    const { body } = parseNote(note);
    const lines = names.map((name) => {
      const signer = {
        keyName: `${genesis.origin}/site/${name}`,
        seed: this.federation.seedOf('cosigner', name),
      };
      const { signature } = cosign(body, signer, time);
      return [name, signature] as const;
    });
    return withCosignatures(note, witnesses, new Map(lines));
  }

  /** When the last of the first entries was signed, seconds since 1970. */
  static timeOf(size: number): number {
    return Date.UTC(2026, 10, 20, 10) / 1000 + size;
  }

  /** Files of the bundle; tests change them. */
  files(): Map<string, Uint8Array> {
    const tree = this.tree();
    const isCosigned = this.options.gateMode === 'cosigned';
    const files = new Map([['checkpoint', utf8(isCosigned ? this.cosigned() : this.note())]]);
    const changes = this.history.changedAt.map((index) => index + 1);
    const gates = isCosigned ? [...this.gateSizes(), ...changes] : [];
    for (const size of gates) files.set(siteCheckpointPath(size), utf8(this.cosigned(size)));
    for (const tile of newTiles(0, tree.size)) {
      const { level, index, width } = tile;
      const from = index * TILE_WIDTH;
      const entries = (): Uint8Array => encodeEntryBundle(this.entries.slice(from, from + width));
      files.set(tilePath(tile), level === 'entries' ? entries() : hashTileOf(tree, { level, index, width }));
    }
    for (const [digest, bytes] of this.attachments) {
      files.set(`attachments/sha256/${digest.slice('sha256:'.length)}`, bytes);
    }
    const { genesis, members } = this.history.last;
    for (const [path, bytes] of bundleFiles(genesis, members, utf8(this.policy))) files.set(path, bytes);
    return files;
  }

  bundle(): Uint8Array {
    return writeBundle(this.files());
  }

  /** Text of the quorum policy in force. */
  get policy(): string {
    const { digest } = this.history.last.genesis.quorumPolicy;
    return new TextDecoder().decode(this.attachments.get(digest));
  }

  /** Path of the attachment of some digest in a bundle. */
  static pathOf(bytes: Uint8Array): string {
    return `attachments/sha256/${hex(sha256(bytes))}`;
  }

  /** Sizes of the checkpoints that opened the gate of a site. */
  private gateSizes(): number[] {
    const sizes = this.entries.flatMap((bytes) => {
      const entry = parseEntry(bytes);
      return entry.kind === 'round.contribution' ? [entry.body.gate.size] : [];
    });
    return [...new Set(sizes)].filter((size) => size <= this.entries.length);
  }

  private tree(): LogTree {
    const tree = new LogTree();
    this.entries.forEach((entry) => tree.append(leafHashOf(entry)));
    return tree;
  }
}
