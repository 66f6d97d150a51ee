import { hex, type SignatureCheck, verifyEd25519 } from '../../crypto/index.js';
import {
  aggRootOf,
  closeTranscript,
  cohortMinimum,
  contributorsOf,
  ctxOf,
  dealersMinimum,
  hashOfAnswer,
  hashOfKeys,
  hashOfMembers,
  hashOfSurvivors,
  hashOverGroups,
  type Manifest,
  type RosterView,
  subCohortsOf,
  type SubCohort,
  type SumRoots,
  thresholdsOf,
  type Thresholds,
  vectorLength,
} from '../../secagg/index.js';
import type { RoundEvidence } from './round-evidence.js';
import { AttemptVerifier } from './secagg-signature.js';

/** What follows from the messages of the sites that were summed together. */
export interface DerivedGroup {
  /** members of U1, U2 and U3 in the group */
  readonly u1: readonly number[];
  readonly u2: readonly number[];
  readonly u3: readonly number[];
  readonly h1: Uint8Array;
  readonly h2: Uint8Array;
  readonly h3: Uint8Array;
  readonly thresholds: Thresholds;
  /** members of U3 that count towards minima */
  readonly contributing: readonly number[];
  /** ids whose answers T covers, ascending */
  readonly responders: readonly number[];
  readonly keys: SubCohort['keys'];
}

/** What follows from the messages of a round; sets, h1 and thresholds are of all groups, h2 and h3 hashes over them. */
export interface DerivedRound extends Omit<DerivedGroup, 'keys' | 'responders'> {
  /** a_i by site */
  readonly answers: ReadonlyMap<number, Uint8Array>;
  /** one without sub-cohorts */
  readonly groups: readonly DerivedGroup[];
}

/** What `deriveRound` needs. */
export interface EvidenceInput {
  readonly manifest: Manifest;
  readonly roster: RosterView;
  readonly evidence: RoundEvidence;
  /** contributors that count towards no minimum */
  readonly uncounted: ReadonlySet<number>;
  /** verifies each signature of a site */
  readonly holds?: SignatureCheck;
}

/** Tells what is wrong, with the row it breaks. */
export type Complain = (rule: 'S1' | 'S2', note: string) => void;

/** Recompute sets, hashes and thresholds of a round from its signed messages, and check every signature and minimum. */
export function deriveRound(input: EvidenceInput, complain: Complain): DerivedRound {
  const { manifest, roster, evidence } = input;
  const ctx = ctxOf(manifest);
  const { advertised, dealers, commits } = evidence;
  const [u1, u2, u3] = [ids(advertised), ids(dealers), ids(commits)];
  const groups = subCohortsOf(manifest, ctx, advertised).map((group) => deriveGroup(input, group));
  const answers = new Map(
    evidence.answers.map(({ id, entries }) => {
      const h3 = groups.find((group) => group.u1.includes(id))?.h3 ?? new Uint8Array(32);
      return [id, hashOfAnswer(ctx, h3, entries)];
    }),
  );
  const derived: DerivedRound = {
    ...{ u1, u2, u3, answers, groups, h1: hashOfKeys(ctx, advertised) },
    ...{ h2: over(manifest, groups, 'h2'), h3: over(manifest, groups, 'h3') },
    thresholds: thresholdsOf(manifest, roster, Math.max(1, u1.length)),
    contributing: groups.flatMap((group) => group.contributing).sort((a, b) => a - b),
  };
  checkSets(manifest, derived, complain);
  if (evidence.responders.some((id) => !u1.includes(id)))
    complain('S2', 'an answer of a site outside U1 is said to unmask the sum');
  for (const group of groups) {
    checkSizes(manifest, group, complain);
    checkSignatures(input, derived, group, complain);
    checkAnswers(evidence, group, complain);
  }
  return derived;
}

function deriveGroup(
  { manifest, roster, evidence, uncounted }: EvidenceInput,
  { keys, h1 }: SubCohort,
): DerivedGroup {
  const ctx = ctxOf(manifest);
  const u1 = ids(keys);
  const within = <T extends { readonly id: number }>(list: readonly T[]): T[] =>
    manifest.subCohort === 0 ? [...list] : list.filter(({ id }) => u1.includes(id));
  const [u2, commits] = [ids(within(evidence.dealers)), within(evidence.commits)];
  const h2 = hashOfMembers(ctx, h1, u2);
  const counted = contributorsOf(manifest, uncounted);
  const u3 = ids(commits);
  return {
    ...{ keys, u1, u2, u3, h1, h2, h3: hashOfSurvivors(ctx, h2, commits) },
    thresholds: thresholdsOf(manifest, roster, Math.max(1, u1.length)),
    contributing: u3.filter((id) => counted.has(id)),
    responders: ids(within(evidence.responders.map((id) => ({ id })))),
  };
}

const over = (manifest: Manifest, groups: readonly DerivedGroup[], name: 'h2' | 'h3'): Uint8Array =>
  hashOverGroups(
    manifest,
    ctxOf(manifest),
    groups.map((group) => group[name]),
  );

/** T of the round. @param roots, modelHash 32 bytes each */
export function transcriptOf(
  { manifest }: Pick<EvidenceInput, 'manifest'>,
  { h1, h2, h3, answers, groups }: DerivedRound,
  { modelHash, ...roots }: SumRoots & { readonly modelHash: Uint8Array },
): Uint8Array {
  const ctx = ctxOf(manifest);
  const used = groups.flatMap(({ responders }) => responders).flatMap((id) => answers.get(id) ?? []);
  const aggRoot = aggRootOf(manifest, ctx, roots);
  return closeTranscript(ctx, { h1, h2, h3, answers: used, aggRoot, modelHash });
}

function checkSets(manifest: Manifest, { u1, u2, u3, thresholds }: DerivedRound, complain: Complain): void {
  const minimum = cohortMinimum(manifest, thresholds);
  const named = new Set(manifest.roles.map(({ id }) => id));
  if (u1.some((id) => !named.has(id))) complain('S1', 'U1 has a site that the plan does not name');
  if (u2.some((id) => !u1.includes(id)) || u3.some((id) => !u2.includes(id)))
    complain('S1', 'U3 ⊆ U2 ⊆ U1 does not hold');
  if (u1.length < minimum) complain('S1', `|U1| = ${u1.length} is below ${minimum}`);
}

function checkSizes(
  manifest: Manifest,
  { u2, u3, thresholds, contributing }: DerivedGroup,
  complain: Complain,
): void {
  const minimum = dealersMinimum(manifest, thresholds);
  if (u2.length < minimum) complain('S1', `|U2| = ${u2.length} is below ${minimum}`);
  if (u3.length < thresholds.uMin) complain('S1', `|U3| = ${u3.length} is below uMin = ${thresholds.uMin}`);
  if (contributing.length < thresholds.uMin) {
    complain('S1', `${contributing.length} contributing survivors are below uMin = ${thresholds.uMin}`);
  }
}

function checkSignatures(
  { manifest, roster, evidence, holds = verifyEd25519 }: EvidenceInput,
  { answers, groups }: DerivedRound,
  { u1, u2, h1, h2, h3, thresholds }: DerivedGroup,
  complain: Complain,
): void {
  const keys = new Map(roster.members.map(({ id, key }) => [id, key]));
  const verifier = new AttemptVerifier(ctxOf(manifest), (id) => keys.get(id), holds);
  const length = vectorLength(manifest);
  // what belongs to no group is judged, and found wrong, with the first one
  const stray = (id: number): boolean => !groups.some((group) => group.u1.includes(id));
  const own = <T extends { readonly id: number }>(list: readonly T[]): T[] =>
    list.filter(({ id }) => u1.includes(id) || (groups[0]?.h1 === h1 && stray(id)));
  for (const m of own(evidence.advertised))
    if (!verifier.advertised(m)) complain('S2', `σ0 of site ${m.id} does not verify`);
  for (const m of own(evidence.dealers))
    if (!verifier.dealt(h1, m)) complain('S2', `σ1 of site ${m.id} does not verify`);
  for (const m of own(evidence.commits)) {
    if (m.length !== length || !verifier.committed(h2, m))
      complain('S2', `σ2 of site ${m.id} does not verify`);
  }
  const consistency = own(evidence.consistency);
  const confirmed = consistency.filter((m) => u2.includes(m.id) && verifier.confirmed(h3, m));
  if (confirmed.length < consistency.length) complain('S2', 'a consistency signature does not verify');
  if (confirmed.length < thresholds.t)
    complain('S2', `${confirmed.length} sites confirmed the survivors, t = ${thresholds.t}`);
  for (const m of own(evidence.answers)) {
    const answer = answers.get(m.id);
    if (answer === undefined || !u2.includes(m.id) || !verifier.answered(h3, m, answer))
      complain('S2', `σ4 of site ${m.id} does not verify`);
  }
}

function checkAnswers(
  evidence: RoundEvidence,
  { u1, u2, u3, responders, thresholds }: DerivedGroup,
  complain: Complain,
): void {
  const answered = new Set(ids(evidence.answers));
  if (responders.length < thresholds.t || responders.some((id) => !answered.has(id))) {
    complain('S2', `${responders.length} answers unmask the sum, t = ${thresholds.t}`);
  }
  const survivors = new Set(u3);
  const wanted = u2.map((id) => `${survivors.has(id) ? 0 : 1}/${id}`).join(' ');
  for (const { id, entries } of evidence.answers) {
    if (!u1.includes(id)) continue;
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
