import { hex, leafHashOf, sha256, utf8 } from '../crypto/index.js';
import {
  type ActorType,
  type Attachment,
  attachmentOf,
  type BodyOf,
  bundleFiles,
  CHAIN_START,
  digestText,
  encodeEntryBundle,
  hashTileOf,
  keysOfGenesis,
  type Kind,
  LogTree,
  type NamedSeed,
  newTiles,
  nextChain,
  parseEntry,
  type ScopeOf,
  signCheckpoint,
  TILE_WIDTH,
  tilePath,
  writeBundle,
} from '../transparency/index.js';
import { SampleFederation } from './sample-federation.js';
import type { SampleOptions } from './sample-options.js';

/** A log in memory: entries are taken as they come, right or wrong. */
export class SampleLog {
  readonly entries: Uint8Array[] = [];
  readonly attachments = new Map<string, Uint8Array>();
  /** masked vectors of closed rounds, of survivors and others, by `round-attempt/site` */
  readonly masked = new Map<string, Uint8Array>();

  readonly federation = new SampleFederation();
  private readonly written = new Map<string, number>();

  constructor(private readonly options: SampleOptions = {}) {
    const { federation } = this;
    federation.genesis.attachments.forEach((bytes) => this.attach(bytes, 'application/json'));
    this.add(federation.genesisEntry);
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
    if (this.options.omit?.(kind, seen) === true) return -1;
    const spoiled = this.options.spoil?.(kind, { ...body }, seen) ?? body;
    return this.add(this.federation.entry(actor, kind, scope, spoiled as BodyOf<K>, others));
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

  /** Files of the bundle; tests change them. */
  files(): Map<string, Uint8Array> {
    const tree = this.tree();
    const files = new Map([['checkpoint', utf8(this.note())]]);
    for (const tile of newTiles(0, tree.size)) {
      const { level, index, width } = tile;
      const from = index * TILE_WIDTH;
      const entries = (): Uint8Array => encodeEntryBundle(this.entries.slice(from, from + width));
      files.set(tilePath(tile), level === 'entries' ? entries() : hashTileOf(tree, { level, index, width }));
    }
    for (const [digest, bytes] of this.attachments) {
      files.set(`attachments/sha256/${digest.slice('sha256:'.length)}`, bytes);
    }
    const { genesisEntry, genesis } = this.federation;
    const keys = keysOfGenesis(parseEntry(genesisEntry), (digest) => this.attachments.get(digest));
    for (const [path, bytes] of bundleFiles(keys.genesis, keys.members, utf8(genesis.quorumPolicy)))
      files.set(path, bytes);
    return files;
  }

  bundle(): Uint8Array {
    return writeBundle(this.files());
  }

  /** Text of the quorum policy. */
  get policy(): string {
    return this.federation.genesis.quorumPolicy;
  }

  /** Path of the attachment of some digest in a bundle. */
  static pathOf(bytes: Uint8Array): string {
    return `attachments/sha256/${hex(sha256(bytes))}`;
  }

  private tree(): LogTree {
    const tree = new LogTree();
    this.entries.forEach((entry) => tree.append(leafHashOf(entry)));
    return tree;
  }
}
