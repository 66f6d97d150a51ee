import { z } from 'zod';
import { RegulonError } from '@regulon/shared/errors';
import { verifyBundle, type VerifyReport } from '@regulon/shared/transparency';
import { readBundleFile, readTextFile } from './files.js';

/** Arguments of `regulon audit verify`. */
export interface VerifyArguments {
  /** path of the bundle */
  readonly bundle: string;
  /** path of the quorum policy, which comes from the sites or the auditor's own records */
  readonly policy: string;
  /** paths of checkpoint notes that sites kept */
  readonly siteCheckpoints?: readonly string[];
  /** evidence level; 2 needs masked vectors, which this version does not export */
  readonly level?: number;
  /** RFC 3339; now by default */
  readonly asOf?: string;
  /** only this run */
  readonly run?: string;
}

/** The answer of `regulon audit verify`. */
export interface VerifyOutcome {
  /** E_VERIFY (exit 1) when a machine row fails; unusable arguments or bundles throw and exit with 4 */
  readonly failure: RegulonError | null;
  /** the verdict, or the first wrong entry by index, kind, actor and rule */
  readonly firstLine: string;
  readonly report: VerifyReport;
}

/**
 * Verify an exported log: no network, no database.
 *
 * @throws E_ARGUMENT or E_BUNDLE (exit 4) when a file or an argument cannot be used
 */
export async function verifyCommand(args: VerifyArguments): Promise<VerifyOutcome> {
  if (args.level !== undefined && args.level !== 1) {
    throw new RegulonError(
      'E_ARGUMENT',
      `level ${args.level} cannot be verified: bundles hold evidence of level 1`,
    );
  }
  const asOf = args.asOf === undefined ? new Date() : timeOf(args.asOf);
  const [bundle, policy] = await Promise.all([
    readBundleFile(args.bundle),
    readTextFile('the quorum policy', args.policy),
  ]);
  const notes = (args.siteCheckpoints ?? []).map((path) => readTextFile('the checkpoint', path));
  const input = { bundle, policy, asOf, siteCheckpoints: await Promise.all(notes) };
  const report = verifyBundle(args.run === undefined ? input : { ...input, run: args.run });
  const { status, firstLine } = report;
  const isPass = status === 'pass';
  const failure = isPass ? null : new RegulonError('E_VERIFY', firstLine.replace(/^FAIL\s+/, ''));
  return { failure, firstLine, report };
}

const time = z.iso.datetime({ offset: true });

/** @throws E_ARGUMENT when the text is no time with a zone: `Date` would take a single digit for a year */
function timeOf(text: string): Date {
  if (time.safeParse(text).success) return new Date(text);
  throw new RegulonError('E_ARGUMENT', '--as-of: not a time', { hint: 'write it as 2026-11-20T10:00:00Z' });
}
