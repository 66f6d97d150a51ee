import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { RegulonError } from '@regulon/shared/errors';
import type { VerifyInput, VerifyReport } from '@regulon/shared/transparency';
import { durationOf } from './durations.js';
import { readBundleFile, readBytes, readTextFile } from './files.js';
import { KeptBlobFolder, MaskedVectorFolder } from './masked-vectors.js';
import { verifyInParallel } from './parallel.js';

/** More threads than this are faster than the one that feeds them. */
const MOST_JOBS = 4;

/** Arguments of `regulon audit verify`. */
export interface VerifyArguments {
  /** path of the bundle */
  readonly bundle: string;
  /** path of the quorum policy, which comes from the sites or the auditor's own records */
  readonly policy: string;
  /** paths of checkpoint notes that sites kept */
  readonly siteCheckpoints?: readonly string[];
  /** evidence level; 2 replays the sums from masked vectors, and derives the models from kept sums */
  readonly level?: number;
  /** folder of masked vectors, as the coordinator's spool holds them; level 2 */
  readonly maskedVectors?: string;
  /** folder of sums and models, as the coordinator's blobs lie; level 2 */
  readonly kept?: string;
  /** RFC 3339; now by default */
  readonly asOf?: string;
  /** the newest cosignature may be so old, e.g. `7d`, `12h`; a week by default */
  readonly maxAge?: string;
  /** only this run; any unique beginning of its id */
  readonly run?: string;
  /** threads; as many as the machine has cores, four at most, by default */
  readonly jobs?: number;
}

/** The answer of `regulon audit verify`. */
export interface VerifyOutcome {
  /** E_VERIFY (exit 1) when a machine row fails; unusable arguments or bundles throw and exit with 4 */
  readonly failure: RegulonError | null;
  /** the verdict, or the first wrong entry by index, kind, actor and rule */
  readonly firstLine: string;
  readonly report: VerifyReport;
  /** bytes that were judged */
  readonly judged: { readonly bundle: Uint8Array; readonly policy: Uint8Array };
}

/**
 * Verify an exported log: no network, no database.
 *
 * @throws E_ARGUMENT or E_BUNDLE (exit 4) when a file or an argument cannot be used
 */
export async function verifyCommand(args: VerifyArguments): Promise<VerifyOutcome> {
  const { level = 1, maskedVectors, kept } = args;
  if (level === 2 && maskedVectors === undefined && kept === undefined) {
    throw new RegulonError('E_ARGUMENT', 'level 2 cannot be verified: bundles hold evidence of level 1', {
      hint: 'name the folder of the masked vectors with --masked-vectors, or of sums and models with --kept',
    });
  }
  if (level < 2 && (maskedVectors !== undefined || kept !== undefined))
    throw new RegulonError(
      'E_ARGUMENT',
      '--masked-vectors and --kept are evidence of level 2: add --level 2',
    );
  const asOf = args.asOf === undefined ? new Date() : timeOf(args.asOf);
  const [bundle, policy] = await Promise.all([
    readBundleFile(args.bundle),
    readBytes('the quorum policy', args.policy),
  ]);
  const notes = (args.siteCheckpoints ?? []).map((path) => readTextFile('the checkpoint', path));
  const age = args.maxAge === undefined ? {} : { maxAgeSeconds: durationOf('--max-age', args.maxAge) };
  const text = new TextDecoder().decode(policy);
  const input = { bundle, policy: text, asOf, ...age, siteCheckpoints: await Promise.all(notes) };
  const only = args.run === undefined ? {} : { run: args.run };
  const folder = maskedVectors === undefined ? undefined : new MaskedVectorFolder(maskedVectors);
  const blobs = kept === undefined ? undefined : new KeptBlobFolder(kept);
  const close = (): void => [folder, blobs].forEach((opened) => opened?.close());
  const judged: VerifyInput = {
    ...{ ...input, ...only },
    ...(folder ? { maskedVectors: folder.of } : {}),
    ...(blobs ? { keptBlobs: blobs.of } : {}),
  };
  const jobs = args.jobs ?? Math.min(MOST_JOBS, availableParallelism());
  const report = await verifyInParallel(judged, jobs).finally(close);
  const { status, firstLine, rules } = report;
  const isPass = status === 'pass';
  if (isPass && level === 2) verifyReplayed(rules);
  const failure = isPass ? null : new RegulonError('E_VERIFY', firstLine.replace(/^FAIL\s+/, ''));
  return { failure, firstLine, report, judged: { bundle, policy } };
}

/** @throws E_ARGUMENT when nothing of level 2 was judged: a pass would say no more than level 1 does */
function verifyReplayed(rules: VerifyReport['rules']): void {
  const row = rules.find(({ id }) => id === 'S3');
  if (row?.status !== 'not-applicable') return;
  throw new RegulonError('E_ARGUMENT', `level 2 cannot be verified: ${row.note}`, {
    hint: 'the folders hold nothing of a round of this log: name others, or leave --level 2 out',
  });
}

const time = z.iso.datetime({ offset: true });

/** @throws E_ARGUMENT when the text is no time with a zone: `Date` would take a single digit for a year */
function timeOf(text: string): Date {
  if (time.safeParse(text).success) return new Date(text);
  throw new RegulonError('E_ARGUMENT', '--as-of: not a time', { hint: 'write it as 2026-11-20T10:00:00Z' });
}
