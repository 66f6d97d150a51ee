import { equalBytes } from '../../crypto/index.js';
import { refusalOf } from '../../errors/index.js';
import { abortTranscript, ctxOf, type Manifest, verifyTranscript } from '../../secagg/index.js';
import { droppedSite } from '../entries/bodies-round.js';
import { digestBytes, digestText } from '../entries/fields.js';
import type { KeyHistory } from '../entries/key-history.js';
import { deriveRound, type DerivedRound, transcriptOf } from '../evidence/verify-evidence.js';
import { parseRoundEvidence, type RoundEvidence } from '../evidence/round-evidence.js';
import { type ApprovedRun, isOpen } from './approval-rows.js';
import { elementsOf, integersOf, rosterViewAt, type VerifyContext } from './context.js';
import { checkContributions, checkUnmasks } from './site-entries.js';
import { checkEgress } from './egress-rows.js';
import { checkOpens, type ClosedRound, type OpenedRound } from './opened-rounds.js';
import { checkPrivateRun } from './privacy-rows.js';
import { checkAnswersOnce } from './reopened-rounds.js';
import type { Placed, RunView } from './run-view.js';

/** Rows S1 and S2 of a run. @returns its closed rounds, in order */
export function checkRounds(
  context: VerifyContext,
  view: RunView,
  approved: ApprovedRun | undefined,
): ClosedRound[] {
  const opened = checkOpens(context, view, approved);
  checkPrivateRun(context, view, approved, opened.values());
  checkTranscripts(context, view, opened);
  checkOneSum(context, view);
  checkAnswersOnce(context, view, opened);
  checkEgress(context, view, opened);
  return view.aggregates.flatMap((aggregate) => {
    const round = opened.get(aggregate.entry.body.context);
    if (round !== undefined && round.open.index < aggregate.index)
      return checkClosed(context, view, round, aggregate, approved);
    context.findings.fail('S2', 'the sum belongs to no round that was opened before', aggregate.index);
    return [];
  });
}

function checkClosed(
  context: VerifyContext,
  view: RunView,
  round: OpenedRound,
  aggregate: Placed<'round.aggregate'>,
  approved: ApprovedRun | undefined,
): ClosedRound[] {
  const evidence = readEvidence(context, aggregate);
  if (evidence === undefined) return [];
  const { manifest } = round;
  const { history, findings } = context;
  const roster = rosterViewAt(history, round.open.index);
  const uncounted = uncountedOf(approved);
  const complain = (rule: 'S1' | 'S2', note: string): void =>
    findings.fail(rule, `round ${manifest.round}: ${note}`, aggregate.index);
  const derived = derive({ manifest, roster, evidence, uncounted, holds: context.holds }, complain);
  if (derived === undefined) return [];
  const minimum = minimumOf(context, approved);
  const smallest = Math.min(derived.u1.length, derived.u2.length);
  if (smallest < minimum)
    complain('S1', `a cohort of ${smallest} is below the smallest that a site allows, ${minimum}`);
  const wrong = misstatement(context, manifest, aggregate, derived);
  if (wrong !== undefined) complain('S2', wrong);
  const otherGroups = misgrouped(manifest, aggregate, derived);
  if (otherGroups !== undefined) complain('S2', otherGroups);
  else checkTranscript(context, { ...round, aggregate, evidence, derived });
  checkContributions(context, view, { ...round, aggregate, evidence, derived });
  checkUnmasks(context, view, { ...round, aggregate, evidence, derived });
  return [{ ...round, aggregate, evidence, derived }];
}

/** @returns undefined when the manifest has no thresholds at all */
function derive(...[input, complain]: Parameters<typeof deriveRound>): DerivedRound | undefined {
  try {
    return deriveRound(input, complain);
  } catch (error) {
    complain('S1', refusalOf(error).message);
    return undefined;
  }
}

function readEvidence(
  { log, findings }: VerifyContext,
  { entry, index }: Placed<'round.aggregate'>,
): RoundEvidence | undefined {
  const bytes = log.resolve(entry.body.evidence.digest);
  if (bytes === undefined) return undefined;
  try {
    return parseRoundEvidence(bytes);
  } catch (error) {
    findings.fail('S2', (error as Error).message, index);
    return undefined;
  }
}

/** What the entry states otherwise than its evidence. */
function misstatement(
  { log }: VerifyContext,
  { roles }: Manifest,
  { entry }: Placed<'round.aggregate'>,
  d: DerivedRound,
): string | undefined {
  const { body } = entry;
  const list = (field: typeof body.u1): string => String(integersOf(field, log.resolve));
  if (list(body.u1) !== String(d.u1) || list(body.u2) !== String(d.u2) || list(body.u3) !== String(d.u3))
    return 'U1, U2 or U3 is not that of the evidence';
  if (body.h1 !== digestText(d.h1) || body.h2 !== digestText(d.h2) || body.h3 !== digestText(d.h3))
    return 'h1, h2 or h3 does not follow from the evidence';
  const same = Object.entries(d.thresholds).every(
    ([name, value]) => body.thresholds[name as keyof typeof body.thresholds] === value,
  );
  if (!same) return 'the thresholds are not those of the manifest';
  const ascending = (ids: readonly number[]): string => String([...ids].sort((a, b) => a - b));
  const lost = elementsOf(body.dropped, droppedSite, log.resolve).map(({ site }) => site);
  const gone = roles.map(({ id }) => id).filter((id) => !d.u3.includes(id));
  return ascending(lost) === ascending(gone)
    ? undefined
    : 'the sites that dropped are not those of the manifest without U3';
}

/** What the entry states otherwise than its evidence of the groups. @returns undefined when nothing */
export function misgrouped(
  { subCohort }: Pick<Manifest, 'subCohort'>,
  { entry }: Placed<'round.aggregate'>,
  { groups }: DerivedRound,
): string | undefined {
  const stated = entry.body.groups ?? [];
  if (subCohort === 0) return stated.length > 0 ? 'has groups without sub-cohorts' : undefined;
  const same = groups.every(({ u1, h1, h2, h3 }, k) => {
    const group = stated[k];
    if (group === undefined || String(group.sites) !== String(u1)) return false;
    return group.h1 === digestText(h1) && group.h2 === digestText(h2) && group.h3 === digestText(h3);
  });
  return same && stated.length === groups.length ? undefined : 'the groups do not follow from U1';
}

function checkTranscript(
  { history, findings }: VerifyContext,
  { manifest, derived, aggregate }: ClosedRound,
): void {
  const { body } = aggregate.entry;
  const groupRoots = (body.groups ?? []).map((group) => digestBytes(group.aggregateRoot));
  const roots = { aggRoot: digestBytes(body.aggregateRoot), groupRoots };
  const T = transcriptOf({ manifest }, derived, { ...roots, modelHash: digestBytes(body.modelOut) });
  const sig = Uint8Array.from(Buffer.from(body.closeSignature, 'base64'));
  if (!equalBytes(T, digestBytes(body.transcript)))
    findings.fail('S2', `round ${manifest.round}: T does not recompute`, aggregate.index);
  else if (!signs(coordinatorAt(history, aggregate.index), { ctx: ctxOf(manifest), tag: 'CLOSE', T, sig })) {
    findings.fail('S2', `round ${manifest.round}: T is not signed by the coordinator`, aggregate.index);
  }
}

/** Each manifest names the T of what closed or aborted before it; aborts recompute. */
function checkTranscripts(
  context: VerifyContext,
  view: RunView,
  opened: ReadonlyMap<string, OpenedRound>,
): void {
  const { findings, history } = context;
  const ends = [...view.aggregates, ...view.aborts.filter(({ entry }) => entry.actor.type === 'coordinator')];
  const steps = [...view.opens, ...ends].sort((a, b) => a.index - b.index);
  let previous = digestText(new Uint8Array(32));
  for (const { entry, index } of steps) {
    if (entry.kind === 'round.open') {
      if (entry.body.previousTranscript !== previous)
        findings.fail('S2', 'the round does not continue the one before', index);
      continue;
    }
    if (entry.kind === 'round.abort') {
      const round = opened.get(entry.body.context);
      const { transcript, abortSignature, lastHash, reason } = entry.body;
      const ctx = round === undefined ? new Uint8Array(32) : ctxOf(round.manifest);
      const T = abortTranscript(ctx, reason, lastHash === null ? new Uint8Array(32) : digestBytes(lastHash));
      const sig = Uint8Array.from(Buffer.from(abortSignature ?? '', 'base64'));
      const holds =
        transcript === digestText(T) && signs(coordinatorAt(history, index), { ctx, tag: 'ABORT', T, sig });
      if (round === undefined || !holds) findings.fail('S2', 'the abort does not recompute', index);
    }
    previous = entry.body.transcript ?? previous;
  }
}

const coordinatorAt = (history: KeyHistory, index: number): Uint8Array =>
  rosterViewAt(history, index).coordinatorKey;

function signs(key: Uint8Array, signed: Parameters<typeof verifyTranscript>[1]): boolean {
  try {
    verifyTranscript(key, signed);
    return true;
  } catch (error) {
    refusalOf(error);
    return false;
  }
}

/** A round has one sum. */
function checkOneSum({ findings }: VerifyContext, view: RunView): void {
  const closed = new Set<number>();
  for (const { entry, index } of view.aggregates) {
    if (closed.has(entry.round)) findings.fail('S2', `round ${entry.round} has a second sum`, index);
    closed.add(entry.round);
  }
}

/** Sites whose public data count towards no minimum: those of a run that is not public. */
function uncountedOf(approved: ApprovedRun | undefined): Set<number> {
  if (approved === undefined || approved.isPublic) return new Set();
  return new Set([...approved.datasets].filter(([, dataset]) => isOpen(dataset)).map(([id]) => id));
}

/** The largest of the smallest cohorts that the federation and the policies of the sites allow. */
function minimumOf({ log, keys }: VerifyContext, approved: ApprovedRun | undefined): number {
  const names = new Set(approved?.sites.map(({ name }) => name));
  const minima = log.entries.flatMap(({ entry }) =>
    entry.kind === 'policy.set' && names.has(entry.actor.id) ? [entry.body.minCohort] : [],
  );
  return Math.max(keys.genesis.minCohort, ...minima);
}
