import { equalBytes, hex } from '../../crypto/index.js';
import { checkManifest, ctxOf, decodeManifest, type Manifest, verifyManifest } from '../../secagg/index.js';
import { digestBytes, digestText } from '../entries/fields.js';
import type { RoundEvidence } from '../evidence/round-evidence.js';
import type { DerivedRound } from '../evidence/verify-evidence.js';
import type { ApprovedRun } from './approval-rows.js';
import { integersOf, rosterViewAt, type VerifyContext } from './context.js';
import type { Placed, RunView } from './run-view.js';

/** An attempt of a round as its manifest opens it. */
export interface OpenedRound {
  readonly open: Placed<'round.open'>;
  readonly manifest: Manifest;
}

/** A round that closed with a sum. */
export interface ClosedRound extends OpenedRound {
  readonly aggregate: Placed<'round.aggregate'>;
  readonly evidence: RoundEvidence;
  readonly derived: DerivedRound;
}

const purposes = ['train', 'statistics', 'evaluation'] as const;

/** Check every `round.open` of a run against its manifest, the plan and the log. @returns the attempts by context */
export function checkOpens(
  context: VerifyContext,
  view: RunView,
  approved: ApprovedRun | undefined,
): Map<string, OpenedRound> {
  const opened = new Map<string, OpenedRound>();
  for (const open of view.opens) {
    const { body } = open.entry;
    const atSize = open.index === body.size && equalBytes(digestBytes(body.chain), open.chainBefore);
    if (!atSize) context.findings.fail('L1', 'the entry quotes another linear chain or size', open.index);
    const manifest = readManifest(context, open);
    if (manifest === undefined) continue;
    opened.set(body.context, { open, manifest });
    const wrong = disagreement(context, view, open, manifest) ?? offPlan(context, manifest, approved);
    if (wrong !== undefined) context.findings.fail('S2', `the manifest ${wrong}`, open.index);
    checkRules(context, open, manifest, approved);
  }
  return opened;
}

function readManifest(
  { log, findings, history }: VerifyContext,
  { entry, index }: Placed<'round.open'>,
): Manifest | undefined {
  const bytes = log.resolve(entry.body.manifest.digest);
  if (bytes === undefined) return undefined;
  try {
    const manifest = decodeManifest(bytes);
    verifyManifest(
      rosterViewAt(history, index).coordinatorKey,
      manifest,
      Uint8Array.from(Buffer.from(entry.body.manifestSignature, 'base64')),
    );
    return manifest;
  } catch (error) {
    findings.fail('S2', (error as Error).message, index);
    return undefined;
  }
}

/** What the entry and its manifest say differently. */
function disagreement(
  { log }: VerifyContext,
  view: RunView,
  { entry }: Placed<'round.open'>,
  m: Manifest,
): string | undefined {
  const { body } = entry;
  const invited = String(m.roles.map(({ id }) => id).sort((a, b) => a - b));
  if (digestText(ctxOf(m)) !== body.context) return 'has another context than the entry';
  if (`run_${hex(m.runId)}` !== view.run || m.round !== entry.round || m.attempt !== entry.attempt)
    return 'is of another round';
  if (purposes[m.purpose] !== body.purpose || m.stepId !== body.stepId || m.arm !== body.arm)
    return 'is for another step';
  if (digestText(m.modelHash) !== body.modelIn) return 'names another model than the entry';
  if (digestText(m.prevTranscriptHash) !== body.previousTranscript)
    return 'names another previous transcript than the entry';
  if (digestText(m.rosterHash) !== body.rosterHash) return 'names another roster than the entry';
  if (invited !== String(integersOf(body.invited, log.resolve))) return 'invites other sites than the entry';
  const deadlines = m.deadlines.map((at) => new Date(at).toISOString());
  return String(deadlines) === String(body.deadlines) ? undefined : 'has other deadlines than the entry';
}

/** What the manifest has otherwise than the approved plan. */
function offPlan({ log }: VerifyContext, m: Manifest, approved: ApprovedRun | undefined): string | undefined {
  if (approved === undefined) return undefined;
  const { body } = approved.proposal.entry;
  const { gamma, nMin, weightCap, subCohort = 0 } = body.secureAggregation;
  if (digestText(m.planHash) !== body.planHash) return 'is of another plan';
  if (m.gammaNum !== gamma.num || m.gammaDen !== gamma.den || m.nMin !== nMin)
    return 'has other thresholds than the plan';
  if (m.purpose === 0 && m.weightCap !== weightCap) return 'has another weight cap than the plan';
  if (m.purpose === 0 && m.subCohort !== subCohort) return 'has other sub-cohorts than the plan';
  return m.N === integersOf(body.sites, log.resolve).length ? undefined : 'has another N than the plan';
}

/** Row S1 at opening: modes and small federations. */
function checkRules(
  { log, history, findings }: VerifyContext,
  open: Placed<'round.open'>,
  m: Manifest,
  approved: ApprovedRun | undefined,
): void {
  try {
    checkManifest(m, rosterViewAt(history, open.index));
  } catch (error) {
    findings.fail('S1', (error as Error).message, open.index);
  }
  const named = approved && new Set(integersOf(approved.proposal.entry.body.sites, log.resolve));
  if (named && m.roles.some(({ id }) => !named.has(id)))
    findings.fail('S1', 'the manifest names a site that the plan does not', open.index);
  const relaxed =
    approved === undefined || approved.isPublic || approved.proposal.entry.body.privacy !== null;
  if (m.N < 5 && !relaxed)
    findings.fail('S1', `${m.N} sites need differential privacy or public data`, open.index);
}
