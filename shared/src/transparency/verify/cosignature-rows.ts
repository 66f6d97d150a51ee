import { equalBytes } from '../../crypto/index.js';
import { refusalOf } from '../../errors/index.js';
import { siteCheckpointSize } from '../bundle/layout.js';
import type { ZipContent } from '../bundle/zip-reader.js';
import { digestBytes } from '../entries/fields.js';
import { verifyCheckpoint } from '../notes/checkpoint.js';
import type { QuorumPolicy } from '../notes/quorum-policy.js';
import { cosignersOf, vouchedTimes } from '../notes/quorum.js';
import { textOfNote } from '../notes/signed-note.js';
import { bySize, checkTimes, type CosignedSize, witnessed } from './cosignature-times.js';
import type { Findings } from './findings.js';
import { type KeyHistory, oldSigners } from '../entries/key-history.js';
import type { IndexedEntry } from './log-entries.js';
import type { LogFiles } from './log-files.js';

/** A checkpoint that a site kept, of a state of the log. */
export interface KeptState {
  readonly note: string;
  readonly size: number;
}

/** What the rows about cosignatures are judged on, gate mode `cosigned`. */
export interface CosignatureInput {
  readonly history: KeyHistory;
  readonly policy: QuorumPolicy;
  readonly content: ZipContent;
  readonly files: LogFiles;
  readonly entries: readonly IndexedEntry[];
  /** what sites kept */
  readonly kept: readonly KeptState[];
  readonly asOf: Date;
  /** the newest cosignature of the newest checkpoint may be so old */
  readonly maxAgeSeconds: number;
  readonly findings: Findings;
}

/** A checkpoint with a quorum. */
interface Whole extends CosignedSize {
  readonly root: Uint8Array;
}

/**
 * Rows L2 and L4: a quorum of the policy's witnesses cosigned the newest checkpoint and each one that opened a gate, the
 * newest not too long ago; their times and those of the entries fit together.
 */
export function checkCosignatures(input: CosignatureInput): void {
  const { content, findings } = input;
  const newest = readWhole(content.files.get('checkpoint'), 'the newest checkpoint', input);
  const wholes = new Map<number, Whole>();
  for (const [path, bytes] of content.files) {
    const size = siteCheckpointSize(path);
    if (size === undefined) continue;
    const whole = readWhole(bytes, path, input);
    if (whole !== undefined && whole.size !== size)
      findings.fail('L2', `${path} is a checkpoint of size ${whole.size}`);
    else if (whole !== undefined) wholes.set(size, whole);
  }
  // of the newest size `site-checkpoints/` has the first cosignatures, `checkpoint` the last ones
  if (newest !== undefined && !wholes.has(newest.size)) wholes.set(newest.size, newest);
  const ordered = [...wholes.values()].sort((a, b) => a.size - b.size);
  checkGates(wholes, input);
  if (newest !== undefined) checkFreshness(newest, input);
  checkChanges(ordered, input);
  const kept = input.kept.flatMap((state) => readKept(state, input));
  const seen = bySize([...ordered, ...(newest ? [newest] : []), ...kept]);
  checkTimes(seen, input);
  if (newest !== undefined) findings.remark('L2', 'pass', witnessed(seen, newest, input.history));
}

/** Times of what a site kept, where it has a quorum. */
function readKept({ note, size }: KeptState, { history, findings }: CosignatureInput): CosignedSize[] {
  const { witnesses, genesis } = history.at(size);
  try {
    const times = cosignersOf(note, witnesses);
    return times.size < genesis.quorum ? [] : [{ size, times }];
  } catch (error) {
    const { message } = refusalOf(error, 'E_VERIFY');
    findings.fail('L2', `a checkpoint that a site keeps is not acceptable: ${message}`);
    return [];
  }
}

function readWhole(bytes: Uint8Array | undefined, what: string, input: CosignatureInput): Whole | undefined {
  const { history, policy, files, findings } = input;
  if (bytes === undefined) {
    findings.fail('L2', `${what} is missing`);
    return undefined;
  }
  const note = textOfNote(bytes);
  try {
    const { size, root } = verifyCheckpoint(note, policy.log);
    const { witnesses, genesis } = history.at(size);
    const times = cosignersOf(note, witnesses);
    if (size > files.tree.size || !equalBytes(files.tree.root(size), root))
      findings.fail('L2', `${what}, size ${size}, is not a state of this log`);
    else if (times.size < genesis.quorum)
      findings.fail('L2', `${what} has ${times.size} cosignatures of members, ${genesis.quorum} are needed`);
    else return { size, root, times };
  } catch (error) {
    findings.fail('L2', `${what}: ${refusalOf(error, 'E_VERIFY').message}`);
  }
  return undefined;
}

/** The first checkpoint over a change of the membership has a quorum of the members before it, too. */
function checkChanges(ordered: readonly Whole[], { history, findings }: CosignatureInput): void {
  for (const index of history.changedAt) {
    const first = ordered.find(({ size }) => size > index);
    if (first === undefined) continue;
    const old = history.at(index);
    const have = oldSigners(old, first.times);
    const { quorum } = old.genesis;
    if (have < quorum)
      findings.fail(
        'L2',
        `the checkpoint of size ${first.size} has ${have} cosignatures of members before the change, ${quorum} are needed`,
        index,
      );
  }
}

/** Each masked input left under a checkpoint with a quorum, of which the bundle has the note. */
function checkGates(wholes: ReadonlyMap<number, Whole>, { entries, findings }: CosignatureInput): void {
  const named = new Set<number>();
  for (const { entry, index } of entries) {
    if (entry.kind !== 'round.contribution') continue;
    const { size, root } = entry.body.gate;
    const whole = wholes.get(size);
    if (size > index) findings.fail('L2', 'the gate was opened by a checkpoint of a later log', index);
    else if (whole !== undefined && !equalBytes(whole.root, digestBytes(root)))
      findings.fail('L2', `the checkpoint of size ${size} that opened the gate has another root`, index);
    else if (whole === undefined && !named.has(size)) {
      findings.fail('L2', `the checkpoint of size ${size} that opened the gate is not cosigned`, index);
      named.add(size);
    }
  }
}

function checkFreshness(
  { times }: Whole,
  { asOf, maxAgeSeconds, history, findings }: CosignatureInput,
): void {
  const { colluders, skewSeconds } = history.last.genesis;
  const newest = vouchedTimes([...times.values()], colluders).last;
  const age = Math.floor(asOf.getTime() / 1000) - newest;
  if (age > maxAgeSeconds)
    findings.fail(
      'L2',
      `the newest cosignature is of ${new Date(1000 * newest).toISOString()}, more than ${maxAgeSeconds} s before ${asOf.toISOString()}`,
    );
  if (-age > skewSeconds)
    findings.fail(
      'L4',
      `a cosignature is of ${new Date(1000 * newest).toISOString()}, after ${asOf.toISOString()}`,
    );
}
