import { existsSync } from 'node:fs';
import { isRegulonError, RegulonError } from '@regulon/shared/errors';
import { readBundle, verifyBundle } from '@regulon/shared/transparency';
import { writeWhole } from '../files/index.js';
import { durationOf } from './durations.js';
import { readTextFile } from './files.js';

/** Arguments of `regulon audit watch`. */
export interface WatchArguments {
  /** asks the coordinator for the bundle */
  readonly fetchBundle: (signal: AbortSignal) => Promise<Uint8Array>;
  /** path of the quorum policy, which comes from the sites */
  readonly policy: string;
  /** path of the newest checkpoint that was seen and held: a signed note, replaced whole */
  readonly state: string;
  /** the newest cosignature, and the last answer of the coordinator, may be so old; a week by default */
  readonly maxAge?: string;
  /** time between two looks; 10 minutes by default */
  readonly every?: string;
  /** look once only */
  readonly once: boolean;
  /** told after each look */
  readonly tell: (line: string) => void;
  /** how long a bundle may take to arrive; 15 minutes by default */
  readonly longestMs?: number;
  readonly now?: () => Date;
  readonly sleep?: (ms: number) => Promise<void>;
}

/** The answer of `regulon audit watch`: what ended it. */
export interface WatchOutcome {
  readonly looks: number;
  readonly firstLine: string;
  /** where the bundle is that raised the alarm; with the state it is the evidence */
  readonly evidence: string | null;
  /** E_VERIFY (exit 1): a fork, a rollback, cosignatures missing or too old, any other row that fails */
  readonly failure: RegulonError | null;
}

const WEEK = '7d';
const TEN_MINUTES = '10m';
const QUARTER_HOUR_MS = 900_000;

/**
 * Look at the log of a coordinator again and again: each time the whole log is verified, and that it extends what was seen
 * last. Ends at the first alarm; the state then stays as it was.
 *
 * @throws E_ARGUMENT, E_BUNDLE; E_CONNECTION when the coordinator is silent for longer than `maxAge`, or at once with `once`
 */
export async function watchCommand(args: WatchArguments): Promise<WatchOutcome> {
  const { once, tell, now = () => new Date(), sleep = wait } = args;
  const maxAgeSeconds = durationOf('--max-age', args.maxAge ?? WEEK);
  const everyMs = 1000 * durationOf('--every', args.every ?? TEN_MINUTES);
  let answered = now().getTime();
  for (let looks = 1; ; looks++) {
    try {
      const outcome = await look(args, now(), maxAgeSeconds);
      answered = now().getTime();
      if (once || outcome.failure) return { looks, ...outcome };
      tell(outcome.firstLine);
    } catch (error) {
      const isSilent = now().getTime() - answered > 1000 * maxAgeSeconds;
      if (once || isSilent || !isRegulonError(error, 'E_CONNECTION')) throw error;
      tell(`no answer: ${error.message}`);
    }
    await sleep(everyMs);
  }
}

async function look(
  { fetchBundle, policy: policyPath, state, longestMs = QUARTER_HOUR_MS }: WatchArguments,
  asOf: Date,
  maxAgeSeconds: number,
): Promise<Omit<WatchOutcome, 'looks'>> {
  const policy = await readTextFile('the quorum policy', policyPath);
  const siteCheckpoints = existsSync(state) ? [await readTextFile('the state', state)] : [];
  const limit = AbortSignal.timeout(longestMs);
  const bundle = await fetchBundle(limit).catch((cause: unknown) => {
    if (!limit.aborted) throw cause;
    throw new RegulonError('E_CONNECTION', `the log did not arrive within ${longestMs / 60_000} minutes`, {
      cause,
    });
  });
  const { status, firstLine } = verifyBundle({ bundle, policy, asOf, maxAgeSeconds, siteCheckpoints });
  if (status === 'pass') {
    writeWhole(state, readBundle(bundle).files.get('checkpoint') ?? '');
    return { firstLine, evidence: null, failure: null };
  }
  const evidence = `${state}.alarm.zip`;
  writeWhole(evidence, bundle);
  return { firstLine, evidence, failure: new RegulonError('E_VERIFY', firstLine.replace(/^FAIL\s+/, '')) };
}

const wait = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));
