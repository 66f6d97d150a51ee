import { equalBytes, hex, sha256, type SignatureCheck, verifyEd25519 } from '../../crypto/index.js';
import { refusalOf } from '../../errors/index.js';
import { bundleFiles } from '../bundle/layout.js';
import type { ZipContent } from '../bundle/zip-reader.js';
import { attachmentsOf } from '../entries/attachments.js';
import type { FederationKeys, ResolveAttachment } from '../entries/federation-keys.js';
import { digestBytes } from '../entries/fields.js';
import { isRole } from '../entries/granted-roles.js';
import { foundingRoster, isChange, KeyHistory } from '../entries/key-history.js';
import {
  keysOfGenesis,
  openEntry,
  verifyPosition,
  verifyRoleAfter,
  verifySignatures,
} from '../entries/open.js';
import { parseEntry } from '../entries/parse.js';
import { entryRefused } from '../entries/rule-error.js';
import type { LogEntry } from '../entries/schema.js';
import type { ChainHead } from '../entries/seal.js';
import { CHAIN_START, nextChain } from '../merkle/chain.js';
import type { EntryLabel, Findings, RowId } from './findings.js';
import type { LogFiles } from './log-files.js';

/** An entry that could be read, with its place. */
export interface IndexedEntry {
  readonly index: number;
  readonly entry: LogEntry;
  readonly hash: Uint8Array;
  /** linear chain before this entry, 32 bytes */
  readonly chainBefore: Uint8Array;
}

/** All entries of the log, and the keys that entry 0 and later changes fix. */
export interface OpenedLog {
  /** keys by the index of an entry; undefined when entry 0 is not acceptable */
  readonly history: KeyHistory | undefined;
  /** the readable entries, in order; also those whose signature or place is wrong */
  readonly entries: readonly IndexedEntry[];
  /** who wrote an entry, readable or not */
  readonly labelOf: (index: number) => EntryLabel;
  readonly resolve: ResolveAttachment;
}

/**
 * Open every entry: form, signatures, keys, chains, attachments (rows L1, L3, L4, L5, D1).
 *
 * @param files with what a baseline repeats of a pruned log
 * @param start where the chains of its actors stood when the entries that are left begin
 * @param holds verifies the signatures of entries that change neither keys nor roles
 */
export function openLog(
  { entries: bytes, tree, minimum }: Pick<LogFiles, 'entries' | 'tree' | 'minimum'>,
  content: ZipContent,
  findings: Findings,
  start?: ReadonlyMap<string, Pick<ChainHead, 'seq' | 'hash'>>,
  holds: SignatureCheck = verifyEd25519,
): OpenedLog {
  const resolve = attachmentsIn(content);
  const history = foundingKeys(bytes[0], resolve, findings);
  const heads = new Map([...(start ?? [])].map(([who, head]) => [who, { at: '', ...head }]));
  const entries: IndexedEntry[] = [];
  let chain = CHAIN_START;
  let passed: string | undefined;
  bytes.forEach((entryBytes, index) => {
    const hash = tree.leaf(index);
    const opened = entryBytes && openOne(entryBytes, { index, history, passed, resolve, findings, holds });
    if (opened !== undefined) {
      const { actor, seq, at } = opened;
      const who = `${actor.type} ${actor.id}`;
      if (index >= minimum) {
        checkPlace(opened, index, heads, findings);
        heads.set(who, { seq, hash, at });
      }
      if (who === 'coordinator coordinator') passed = at;
      entries.push({ index, entry: opened, hash, chainBefore: chain });
    }
    chain = nextChain(chain, hash);
  });
  checkAttachments(entries, content, findings);
  if (history !== undefined) checkBundleFiles(history.last, content, findings);
  return { history, entries, labelOf: (index) => labelOf(bytes[index] ?? new Uint8Array(0)), resolve };
}

/** Reads attachments, but only those whose bytes have their digest: nothing is concluded from changed ones. */
export function attachmentsIn({ files }: Pick<ZipContent, 'files'>): ResolveAttachment {
  const intact = new Map<string, boolean>();
  return (digest) => {
    const bytes = files.get(`attachments/sha256/${hex(digestBytes(digest))}`);
    const known =
      intact.get(digest) ?? (bytes !== undefined && equalBytes(sha256(bytes), digestBytes(digest)));
    intact.set(digest, known);
    return known ? bytes : undefined;
  };
}

/** The keys of entry 0, with the signed roster that it refers to. */
function foundingKeys(
  bytes: Uint8Array | undefined,
  resolve: ResolveAttachment,
  findings: Findings,
): KeyHistory | undefined {
  try {
    if (bytes !== undefined) {
      const keys = keysOfGenesis(openEntry(bytes, undefined, resolve).entry, resolve);
      return new KeyHistory(keys, foundingRoster(keys, resolve));
    }
    findings.fail('L1', 'the log is empty');
  } catch (error) {
    failWith(error, 0, findings);
  }
  return undefined;
}

/** What opening an entry needs. */
interface Place {
  readonly index: number;
  readonly history: KeyHistory | undefined;
  /** when the coordinator wrote its last entry before, by its own word */
  readonly passed: string | undefined;
  readonly resolve: ResolveAttachment;
  readonly findings: Findings;
  readonly holds: SignatureCheck;
}

/** @returns the entry if it can be read, whatever its signatures */
function openOne(bytes: Uint8Array, place: Place): LogEntry | undefined {
  const { index, history, findings } = place;
  try {
    const entry = parseEntry(bytes);
    if (index > 0 && history !== undefined) checkSignatures(entry, bytes, history, place);
    return entry;
  } catch (error) {
    if (index > 0) failWith(error, index, findings);
    return undefined;
  }
}

function checkSignatures(
  entry: LogEntry,
  bytes: Uint8Array,
  history: KeyHistory,
  { index, passed, resolve, findings, holds }: Place,
): void {
  const keys = history.last;
  try {
    if (entry.kind === 'federation.genesis') throw entryRefused('L3', 'a second federation.genesis');
    if (entry.fed !== keys.fed) throw entryRefused('L3', 'the entry belongs to another federation');
    checkRevoked(entry, index, history, findings);
    verifySignatures(entry, bytes, keys, isChange(entry) || isRole(entry) ? verifyEd25519 : holds);
    if (passed !== undefined) verifyRoleAfter(entry, passed, keys);
    if (isChange(entry)) history.appendEntry(entry, index, resolve);
    if (isRole(entry)) keys.roles.take(entry, keys, index);
  } catch (error) {
    failWith(error, index, findings);
  }
}

/** Row X1: who was removed from the federation contributes nothing more. */
function checkRevoked(
  { kind, actor }: LogEntry,
  index: number,
  history: KeyHistory,
  findings: Findings,
): void {
  if (kind !== 'round.contribution' || history.last.member(actor.id) !== undefined) return;
  if (history.idOf(actor.id) !== undefined)
    findings.fail('X1', `${actor.id} contributed after it was removed from the federation`, index);
}

function checkPlace(
  entry: LogEntry,
  index: number,
  heads: ReadonlyMap<string, ChainHead>,
  findings: Findings,
): void {
  try {
    verifyPosition(entry, heads.get(`${entry.actor.type} ${entry.actor.id}`));
  } catch (error) {
    failWith(error, index, findings);
  }
}

function checkAttachments(entries: readonly IndexedEntry[], { files }: ZipContent, findings: Findings): void {
  const used = new Set<string>();
  for (const { entry, index } of entries) {
    for (const { digest, size } of attachmentsOf(entry)) {
      const path = `attachments/sha256/${hex(digestBytes(digest))}`;
      const bytes = files.get(path);
      if (bytes === undefined) findings.fail('L5', `the attachment ${digest} of the entry is missing`, index);
      else if (bytes.length !== size || !(used.has(path) || equalBytes(sha256(bytes), digestBytes(digest)))) {
        findings.fail('L1', `the attachment ${digest} of the entry was changed, or has another size`, index);
      }
      used.add(path);
    }
  }
  const stray = [...files.keys()].filter((path) => path.startsWith('attachments/') && !used.has(path));
  stray.forEach((path) => findings.fail('L1', `no readable entry refers to ${path}`));
}

function checkBundleFiles(keys: FederationKeys, { files }: ZipContent, findings: Findings): void {
  const policy = files.get(`attachments/sha256/${hex(digestBytes(keys.genesis.quorumPolicy.digest))}`);
  const expected = bundleFiles(keys.genesis, keys.members, policy ?? new Uint8Array(0));
  for (const [path, bytes] of expected) {
    const found = files.get(path);
    if (found === undefined || !equalBytes(found, bytes))
      findings.fail('L1', `${path} is not what entry 0 and the changes of the membership fix`, 0);
  }
  for (const path of files.keys()) {
    if (path.startsWith('keys/') && !expected.has(path))
      findings.fail('L1', `the log names no key for ${path}`, 0);
  }
}

/** Kind and actor of an entry, guessed from its text when it cannot be read; `missing` without any. */
export function labelOf(bytes: Uint8Array): EntryLabel {
  try {
    const { kind, actor } = parseEntry(bytes);
    return { kind, actor };
  } catch {
    const text = new TextDecoder('latin1').decode(bytes);
    const kind = /"kind":"([a-z.]{1,40})"/.exec(text)?.[1] ?? (bytes.length === 0 ? 'missing' : 'unreadable');
    const actor = /"actor":\{"id":"([a-z0-9-]{1,63})","key":"[^"]{1,220}","type":"([a-z]{1,20})"/.exec(text);
    return {
      kind,
      actor: {
        type: (actor?.[2] as EntryLabel['actor']['type'] | undefined) ?? 'unreadable',
        id: actor?.[1] ?? '',
      },
    };
  }
}

function failWith(error: unknown, index: number, findings: Findings): void {
  const { message, details } = refusalOf(error, 'E_LOG_ENTRY');
  findings.fail(details.rule as RowId, message, index);
}
