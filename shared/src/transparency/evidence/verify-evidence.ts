import { hex } from '../../crypto/index.js';
import {
  closeTranscript,
  cohortMinimum,
  contributorsOf,
  ctxOf,
  hashOfAnswer,
  hashOfKeys,
  hashOfMembers,
  hashOfSurvivors,
  type Manifest,
  type RosterView,
  thresholdsOf,
  type Thresholds,
} from '../../secagg/index.js';
import type { RoundEvidence } from './round-evidence.js';
import { AttemptVerifier } from './secagg-signature.js';

/** What follows from the messages of a round. */
export interface DerivedRound {
  readonly u1: readonly number[];
  readonly u2: readonly number[];
  readonly u3: readonly number[];
  readonly h1: Uint8Array;
  readonly h2: Uint8Array;
  readonly h3: Uint8Array;
  readonly thresholds: Thresholds;
  /** a_i by site */
  readonly answers: ReadonlyMap<number, Uint8Array>;
  /** members of U3 that count towards minima */
  readonly contributing: readonly number[];
}

/** What `deriveRound` needs. */
export interface EvidenceInput {
  readonly manifest: Manifest;
  readonly roster: RosterView;
  readonly evidence: RoundEvidence;
  /** contributors that count towards no minimum */
  readonly uncounted: ReadonlySet<number>;
}

/** Tells what is wrong, with the row it breaks. */
export type Complain = (rule: 'S1' | 'S2', note: string) => void;

/** Recompute sets, hashes and thresholds of a round from its signed messages, and check every signature and minimum. */
export function deriveRound(
  { manifest, roster, evidence, uncounted }: EvidenceInput,
  complain: Complain,
): DerivedRound {
  const ctx = ctxOf(manifest);
  const { advertised, dealers, commits } = evidence;
  const [u1, u2, u3] = [ids(advertised), ids(dealers), ids(commits)];
  const h1 = hashOfKeys(ctx, advertised);
  const h2 = hashOfMembers(ctx, h1, u2);
  const h3 = hashOfSurvivors(ctx, h2, commits);
  const answers = new Map(
    evidence.answers.map((answer) => [answer.id, hashOfAnswer(ctx, h3, answer.entries)]),
  );
  const counted = contributorsOf(manifest, uncounted);
  const derived: DerivedRound = {
    ...{ u1, u2, u3, h1, h2, h3, answers },
    thresholds: thresholdsOf(manifest, roster, Math.max(1, u1.length)),
    contributing: u3.filter((id) => counted.has(id)),
  };
  checkSizes(manifest, derived, complain);
  checkSignatures({ manifest, roster, evidence }, derived, complain);
  checkAnswers(evidence, derived, complain);
  return derived;
}

/** T of the round. @param aggRoot, modelHash 32 bytes each */
export function transcriptOf(
  { manifest, evidence }: Pick<EvidenceInput, 'manifest' | 'evidence'>,
  { h1, h2, h3, answers }: DerivedRound,
  { aggRoot, modelHash }: { readonly aggRoot: Uint8Array; readonly modelHash: Uint8Array },
): Uint8Array {
  const used = evidence.responders.flatMap((id) => answers.get(id) ?? []);
  return closeTranscript(ctxOf(manifest), { h1, h2, h3, answers: used, aggRoot, modelHash });
}

function checkSizes(
  manifest: Manifest,
  { u1, u2, u3, thresholds, contributing }: DerivedRound,
  complain: Complain,
): void {
  const minimum = cohortMinimum(manifest, thresholds);
  const named = new Set(manifest.roles.map(({ id }) => id));
  if (u1.some((id) => !named.has(id))) complain('S1', 'U1 has a site that the plan does not name');
  if (u2.some((id) => !u1.includes(id)) || u3.some((id) => !u2.includes(id)))
    complain('S1', 'U3 ⊆ U2 ⊆ U1 does not hold');
  if (u1.length < minimum) complain('S1', `|U1| = ${u1.length} is below ${minimum}`);
  if (u2.length < minimum) complain('S1', `|U2| = ${u2.length} is below ${minimum}`);
  if (u3.length < thresholds.uMin) complain('S1', `|U3| = ${u3.length} is below uMin = ${thresholds.uMin}`);
  if (contributing.length < thresholds.uMin) {
    complain('S1', `${contributing.length} contributing survivors are below uMin = ${thresholds.uMin}`);
  }
}

function checkSignatures(
  { manifest, roster, evidence }: Omit<EvidenceInput, 'uncounted'>,
  { u2, h1, h2, h3, answers, thresholds }: DerivedRound,
  complain: Complain,
): void {
  const keys = new Map(roster.members.map(({ id, key }) => [id, key]));
  const verifier = new AttemptVerifier(ctxOf(manifest), (id) => keys.get(id));
  const length = manifest.d + 1 + manifest.extras.length;
  for (const m of evidence.advertised)
    if (!verifier.advertised(m)) complain('S2', `σ0 of site ${m.id} does not verify`);
  for (const m of evidence.dealers)
    if (!verifier.dealt(h1, m)) complain('S2', `σ1 of site ${m.id} does not verify`);
  for (const m of evidence.commits) {
    if (m.length !== length || !verifier.committed(h2, m))
      complain('S2', `σ2 of site ${m.id} does not verify`);
  }
  const confirmed = evidence.consistency.filter((m) => u2.includes(m.id) && verifier.confirmed(h3, m));
  if (confirmed.length < evidence.consistency.length)
    complain('S2', 'a consistency signature does not verify');
  if (confirmed.length < thresholds.t)
    complain('S2', `${confirmed.length} sites confirmed the survivors, t = ${thresholds.t}`);
  for (const m of evidence.answers) {
    const answer = answers.get(m.id) ?? new Uint8Array(0);
    if (!u2.includes(m.id) || !verifier.answered(h3, m, answer))
      complain('S2', `σ4 of site ${m.id} does not verify`);
  }
}

function checkAnswers(
  evidence: RoundEvidence,
  { u2, u3, thresholds }: DerivedRound,
  complain: Complain,
): void {
  const answered = new Set(ids(evidence.answers));
  const { responders } = evidence;
  if (responders.length < thresholds.t || responders.some((id) => !answered.has(id))) {
    complain('S2', `${responders.length} answers unmask the sum, t = ${thresholds.t}`);
  }
  const survivors = new Set(u3);
  const wanted = u2.map((id) => `${survivors.has(id) ? 0 : 1}/${id}`).join(' ');
  for (const { id, entries } of evidence.answers) {
    const given = entries.map(({ kind, about }) => `${kind}/${about}`).join(' ');
    if (given !== wanted)
      complain('S2', `site ${id} revealed other shares than one of the right kind for each member`);
  }
  const advertised = evidence.advertised.flatMap(({ cPk, sPk }) => [hex(cPk), hex(sPk)]);
  if (new Set(advertised).size !== advertised.length) complain('S2', 'a public key stands twice in L1');
}

function ids(list: readonly { readonly id: number }[]): number[] {
  return list.map(({ id }) => id);
}
