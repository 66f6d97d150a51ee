import { verifyBundle, type VerifyInput, type VerifyReport } from '@regulon/shared/transparency';
import { SignatureThreads } from './signature-threads.js';

/**
 * Verify an exported log on several cores: signatures in threads, everything else in this one.
 *
 * The report is the one of `verifyBundle`, byte for byte: it is taken only when every signature that it rests on was
 * verified, else the log is read again with what is known to be wrong.
 *
 * @param jobs threads, this one among them
 * @throws as `verifyBundle`
 */
export async function verifyInParallel(
  input: VerifyInput,
  jobs: number,
  threads: SignatureThreads = new SignatureThreads(Math.max(1, jobs - 1)),
): Promise<VerifyReport> {
  if (jobs === 1) return verifyBundle(input);
  try {
    for (;;) {
      const judged = outcomeOf(() => verifyBundle({ ...input, holds: threads.holds }));
      if (!(await threads.settle())) continue;
      if ('error' in judged) throw judged.error;
      return judged.report;
    }
  } finally {
    await threads.close();
  }
}

type Outcome = { readonly report: VerifyReport } | { readonly error: unknown };

function outcomeOf(judge: () => VerifyReport): Outcome {
  try {
    return { report: judge() };
  } catch (error) {
    return { error };
  }
}
