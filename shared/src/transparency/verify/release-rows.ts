import { parseAttackReport } from '../entries/attack-report.js';
import type { ApprovedRun } from './approval-rows.js';
import type { VerifyContext } from './context.js';
import { releasableRun, type ReleasableRun } from './releasable-run.js';
import { faultsOfRelease, faultsOfTests } from './release-faults.js';
import { ofKind, type Placed, type RunView } from './run-view.js';

/** Rows R1 and R2 of the models of one run: released as its stewards signed, after a test of that very model. */
export function checkReleases(
  context: VerifyContext,
  view: RunView,
  approved: ApprovedRun | undefined,
): void {
  for (const release of view.releases) checkRelease(context, view, approved, release);
  for (const { entry, index } of view.exports) {
    const { release: of, model, file } = entry.body;
    const release = view.releases.find((other) => other.index === of && of < index)?.entry.body;
    const same =
      release?.model === model && release.file.digest === file.digest && release.file.size === file.size;
    if (!same) context.findings.fail('R1', `${model} is exported under no release of that file`, index);
  }
}

function checkRelease(
  context: VerifyContext,
  view: RunView,
  approved: ApprovedRun | undefined,
  { entry, index }: Placed<'model.release'>,
): void {
  const { findings, history, log } = context;
  const { finish } = view;
  if (!approved || finish === undefined || finish.index > index) {
    findings.fail('R1', `a model of ${entry.run} is released before the run has ended`, index);
    return;
  }
  const run = runOf(context, view, approved);
  for (const fault of faultsOfRelease(run, entry, entry.body, history.at(index)))
    findings.fail('R1', fault, index);
  for (const fault of faultsOfTests(run, entry, entry.body, log.resolve, history.at(index)))
    findings.fail('R2', fault, index);
}

function runOf({ log }: VerifyContext, view: RunView, { proposal }: ApprovedRun): ReleasableRun {
  return releasableRun({
    proposal: proposal.entry.body,
    resolve: log.resolve,
    finish: view.finish?.entry.body,
    contributions: view.contributions.map(({ entry }) => entry),
    policies: ofKind(log.entries, 'policy.set').map(({ entry }) => entry),
  });
}

/** What rows R1 and R2 have to say where they hold. */
export function remarkReleases({ log, findings }: VerifyContext): void {
  const releases = ofKind(log.entries, 'model.release');
  if (releases.length === 0) {
    findings.remark('R1', 'not-applicable', 'no model was exported or released');
    findings.remark('R2', 'not-applicable', 'no model was released');
    return;
  }
  const names = releases.map(({ entry, index }) => `${entry.body.model} by entry ${index}`);
  findings.remark('R1', 'pass', `released: ${names.join('; ')}`);
  const found = releases.flatMap(({ entry }) =>
    entry.body.tests.flatMap(({ site, report }) => wordsOf(log.resolve(report.digest), site)),
  );
  findings.remark('R2', 'pass', found.join('; '));
}

function wordsOf(bytes: Uint8Array | undefined, site: string): string[] {
  if (bytes === undefined) return [];
  try {
    return parseAttackReport(bytes).attacks.map(({ attack, curve }) => {
      const at = curve.find(({ falsePositives }) => falsePositives === '0.01');
      return `${attack} at ${site} finds ${at?.found} of the members at 1 % of the others, ${at?.bound === null ? 'bounded by nothing' : `bound ${at?.bound}`}`;
    });
  } catch {
    return [];
  }
}
