import {
  type AttackReport,
  type AttackResult,
  errorOfShare,
  ERROR_PARTS,
  isSignedBySite,
  LEAST_OF_BAND,
  parseAttackReport,
  ratesAboveBound,
} from '../entries/attack-report.js';
import { NOT_PROTECTED } from '../entries/bodies-release.js';
import type { FederationKeys, ResolveAttachment } from '../entries/federation-keys.js';
import type { BodyOf } from '../entries/kinds.js';
import { isApproved, type ReleasePlace, type ReleaseTerms } from '../entries/release.js';
import { TOLERANCE } from './independent-accountant.js';
import type { ReleasableRun } from './releasable-run.js';

/** Standard errors are rounded up. */
const DIGIT = 1 / ERROR_PARTS;

/** Why a release breaks a row. */
export interface ReleaseFault {
  readonly rule: 'R1' | 'R2';
  readonly note: string;
}

/** Row R1 of the terms of a release: which model, and total (ε, δ) of every site that contributed. */
export function faultsOfTerms(
  run: ReleasableRun,
  { run: name }: ReleasePlace,
  terms: ReleaseTerms,
): string[] {
  const final = run.models.find(({ arm }) => arm === terms.arm);
  if (final?.model !== terms.model)
    return [`${terms.model} is not the final model of arm ${terms.arm} of ${name}`];
  return faultsOfPrivacy(run, terms);
}

function faultsOfPrivacy({ unit, sites }: ReleasableRun, { privacy }: ReleaseTerms): string[] {
  if (unit === null)
    return privacy === NOT_PROTECTED ? [] : ['an (ε, δ) is stated, but the plan claims no privacy'];
  if (privacy === NOT_PROTECTED) return ['the plan claims privacy, but no total (ε, δ) is stated'];
  const stated = new Map(privacy.sites.map((own) => [own.site, own]));
  const faults = privacy.unit === unit ? [] : [`the unit is ${privacy.unit}, that of the plan is ${unit}`];
  if (stated.size !== sites.size) faults.push('totals are stated of other sites than those that contributed');
  for (const [site, total] of sites) {
    const own = stated.get(site);
    if (own === undefined) faults.push(`no total (ε, δ) of ${site} is stated`);
    else if (total && Number(own.delta) !== total.delta)
      faults.push(`δ = ${own.delta} of ${site} is not that of its ledger`);
    else if (total && Number(own.epsilon) < total.epsilon * (1 - TOLERANCE))
      faults.push(`ε = ${own.epsilon} of ${site} is below the ${total.epsilon.toPrecision(7)} of its ledger`);
  }
  return faults;
}

/** Row R1 of a whole release: its terms, and an approval by the steward of every site that contributed. */
export function faultsOfRelease(
  run: ReleasableRun,
  place: ReleasePlace,
  body: BodyOf<'model.release'>,
  keys: FederationKeys,
): string[] {
  const given = new Map(body.approvals.map((approval) => [approval.site, approval]));
  const missing = [...run.sites.keys()].filter(
    (site) => !isApproved(place, body, given.get(site), keys.member(site)),
  );
  const others = [...given.keys()].filter((site) => !run.sites.has(site));
  return [
    ...faultsOfTerms(run, place, body),
    ...missing.map((site) => `no approval by the steward of ${site}`),
    ...others.map((site) => `${site} approved, but did not contribute`),
  ];
}

/**
 * Row R2 of a release: attack reports of this very model on the data that trained it, signed by sites that contributed, none
 * above its bound.
 *
 * @param keys in force where the release stands, or would stand
 */
export function faultsOfTests(
  run: ReleasableRun,
  { run: name }: ReleasePlace,
  { tests, model, arm }: ReleaseTerms,
  resolve: ResolveAttachment,
  keys: FederationKeys,
): string[] {
  if (tests.length === 0) return ['no attack report of the model is attached'];
  return tests.flatMap(({ site, report: { digest } }) => {
    const bytes = resolve(digest);
    if (bytes === undefined) return [`the attack report of ${site} is not there`];
    const report = readReport(bytes);
    if (report === undefined) return [`the attack report of ${site} cannot be read`];
    if (report.model !== model || report.arm !== arm || report.run !== name)
      return [`the attack report of ${site} is of another model`];
    if (report.site !== site || !run.sites.has(site))
      return [`the attack report of ${site} is not by a site that contributed`];
    const trained = run.commitments.get(site);
    if (trained?.size !== 1 || !trained.has(report.commitment))
      return [`the attack report of ${site} is about other data than those that it trained with`];
    if (!isSignedBySite(report, keys.member(site)))
      return [`the attack report of ${site} is not signed by the key of that site`];
    return report.attacks.flatMap((attack) =>
      faultsOfAttack(run, report, attack).map((fault) => `${attack.attack} at ${site}: ${fault}`),
    );
  });
}

function readReport(bytes: Uint8Array): AttackReport | undefined {
  try {
    return parseAttackReport(bytes);
  } catch {
    return undefined;
  }
}

function faultsOfAttack(
  { unit, boundAt }: ReleasableRun,
  report: AttackReport,
  attack: AttackResult,
): string[] {
  const counts = { members: LEAST_OF_BAND[report.members], others: LEAST_OF_BAND[report.others] };
  const faults = attack.curve.flatMap(({ falsePositives, error, bound }) => {
    const rate = Number(falsePositives);
    if (unit === null) return bound === null ? [] : ['a bound is stated, but the plan claims no privacy'];
    if (bound === null) return [`no bound is stated at ${falsePositives}`];
    const most = boundAt(rate);
    if (most === undefined)
      return [
        `the bound at ${falsePositives} cannot be recomputed: no plan says how many hospitals share a patient`,
      ];
    if (Number(bound) > most * (1 + TOLERANCE))
      return [`the bound at ${falsePositives} is above the ${most.toPrecision(4)} of the run's (ε, δ)`];
    const widest = errorOfShare(rate, Number(bound), counts) + DIGIT;
    return Number(error) > widest
      ? [`the standard error at ${falsePositives} is larger than its counts give`]
      : [];
  });
  const above = ratesAboveBound(attack).map(
    (rate) => `more members are found at ${rate} than the (ε, δ) allow: an accountant or a sampler is wrong`,
  );
  return [...faults, ...above];
}
