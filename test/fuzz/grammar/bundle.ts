import { leafHashOf, sha256, utf8 } from '@regulon/shared/crypto';
import { ctxOf, decodeManifest, encodeManifest, signManifest } from '@regulon/shared/secagg';
import {
  digestText,
  encodeEntryBundle,
  hashTileOf,
  LogTree,
  newTiles,
  readBundle,
  signCheckpoint,
  TILE_WIDTH,
  tilePath,
  writeBundle,
} from '@regulon/shared/transparency';
import { SampleFederation, type SampleLog } from '@regulon/shared/transparency-samples';
import type { Dice } from '../../security/support/dice.js';
import { LIMITS } from '../harness/mutate-bytes.js';
import { changeCanonical, changeJson } from './json.js';
import { changeList, changePieces } from './pieces.js';

const COORDINATOR = SampleFederation.seed('coordinator', 'coordinator');

/** Entries and attachments of a log, as a lying coordinator may rewrite them. */
interface Draft {
  entries: string[];
  readonly attachments: Map<string, Uint8Array>;
}

/**
 * A bundle of a changed log whose digests, tree and checkpoint hold again, so that the checks behind them are reached.
 *
 * @param bundle of `log`
 */
export function changeLog(log: SampleLog, bundle: Uint8Array, dice: Dice): Uint8Array {
  const draft: Draft = {
    entries: log.entries.map((entry) => new TextDecoder().decode(entry)),
    attachments: new Map(log.attachments),
  };
  for (let count = 1 + dice.below(3); count > 0; count--) {
    dice.pick([changeEntry, changeEntry, changeEntries, changeAttachment, changeManifest, attachList])(
      draft,
      dice,
    );
  }
  return writeBundle(filesOf(log, draft, readBundle(bundle).files, dice));
}

function changeEntry(draft: Draft, dice: Dice): void {
  const at = 1 + dice.below(draft.entries.length - 1);
  draft.entries[at] = new TextDecoder().decode(changeCanonical(utf8(draft.entries[at] ?? ''), dice));
}

function changeEntries(draft: Draft, dice: Dice): void {
  const [genesis = '', ...rest] = draft.entries;
  draft.entries = [genesis, ...changeList(rest, dice, (entry) => entry.slice(0, dice.below(entry.length)))];
}

/** Other bytes under another digest, which every entry names instead. */
function replace(draft: Draft, digest: string, bytes: Uint8Array): void {
  const now = digestText(sha256(bytes));
  draft.attachments.delete(digest);
  draft.attachments.set(now, bytes);
  draft.entries = draft.entries.map((entry) => entry.replaceAll(digest, now));
}

function changeAttachment(draft: Draft, dice: Dice): void {
  const [digest, bytes] = dice.pick([...draft.attachments]);
  replace(draft, digest, dice.pick([changePieces, changeJson])(bytes, dice));
}

/** A manifest with fields at their limits, signed by the coordinator. */
function changeManifest(draft: Draft, dice: Dice): void {
  const manifests = [...draft.attachments].flatMap(([digest, bytes]) => {
    try {
      return [{ digest, manifest: decodeManifest(bytes) }];
    } catch {
      return [];
    }
  });
  if (manifests.length === 0) return;
  const { digest, manifest } = dice.pick(manifests);
  const limit = (): number => dice.pick([...LIMITS, 8.64e15 + 1, 2 ** 53 - 1]);
  const changes = [
    { round: limit() % 2 ** 32 },
    { N: limit() % 2 ** 16, d: limit() % 2 ** 32 },
    { nMin: limit() % 2 ** 16, gammaNum: limit() % 2 ** 16, gammaDen: limit() % 2 ** 16 },
    {
      roles: changeList(manifest.roles, dice, () => ({ id: limit() % 2 ** 32, role: 1 as const })).slice(
        0,
        255,
      ),
    },
    { deadlines: manifest.deadlines.map(limit) },
    { C: dice.pick([NaN, Infinity, -1, 1e308]), z: dice.pick([NaN, -1]) },
    { subCohort: limit() % 2 ** 16, weightCap: limit() % 2 ** 32 },
  ];
  const changed = { ...manifest, ...dice.pick(changes) };
  const signature = (m: typeof manifest): string =>
    Buffer.from(signManifest(COORDINATOR, m)).toString('base64');
  const before = { context: digestText(ctxOf(manifest)), signature: signature(manifest) };
  replace(draft, digest, encodeManifest(changed));
  draft.entries = draft.entries.map((entry) =>
    entry
      .replaceAll(before.context, digestText(ctxOf(changed)))
      .replaceAll(before.signature, signature(changed)),
  );
}

/** A list of an entry becomes an attachment, as lists of more than 64 members do, that holds something else. */
function attachList(draft: Draft, dice: Dice): void {
  const at = 1 + dice.below(draft.entries.length - 1);
  const lists = [...(draft.entries[at] ?? '').matchAll(/"(\w+)":(\[[^[\]]*\])/g)];
  if (lists.length === 0) return;
  const [whole, name = '', list = '[]'] = dice.pick(lists);
  const bytes = dice.pick([
    ...[list, '[null]', '[1,{"toString":1}]', '{}', 'null', '["a","b"]', '[[[]]]', '{'].map(utf8),
    changeJson(utf8(list), dice),
  ]);
  const digest = digestText(sha256(bytes));
  draft.attachments.set(digest, bytes);
  const field = `"${name}":{"digest":"${digest}","mediaType":"application/json","size":${bytes.length}}`;
  draft.entries[at] = (draft.entries[at] ?? '').replace(whole, () => field);
}

function filesOf(
  { federation }: SampleLog,
  { entries, attachments }: Draft,
  original: ReadonlyMap<string, Uint8Array>,
  dice: Dice,
): Map<string, Uint8Array> {
  const bytes = entries.map(utf8).map((entry) => entry.subarray(0, 61_440));
  const tree = new LogTree();
  bytes.forEach((entry) => tree.append(leafHashOf(entry)));
  const files = new Map([...original].filter(([path]) => !/^(checkpoint|tile|attachments)/.test(path)));
  const { origin } = federation.genesis;
  const size = dice.chance(8) ? dice.pick([...LIMITS, 2 ** 40, 2 ** 53 - 1]) : tree.size;
  const checkpoint = { origin, size, root: tree.root() };
  files.set('checkpoint', utf8(signCheckpoint(checkpoint, { keyName: origin, seed: federation.logSeed })));
  for (const tile of newTiles(0, tree.size)) {
    const { level, index, width } = tile;
    const from = index * TILE_WIDTH;
    const content =
      level === 'entries'
        ? encodeEntryBundle(bytes.slice(from, from + width))
        : hashTileOf(tree, { level, index, width });
    files.set(tilePath(tile), content);
  }
  if (dice.chance(10))
    files.set(dice.pick(['tile/entries/x999/x999/x999/999', 'tile/7/000.p/1']), new Uint8Array(0));
  if (dice.chance(20)) files.delete('checkpoint');
  for (const [digest, content] of attachments) files.set(`attachments/sha256/${hexOf(digest)}`, content);
  return files;
}

const hexOf = (digest: string): string => digest.slice('sha256:'.length);
