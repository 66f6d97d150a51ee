import { sha256 } from '@regulon/shared/crypto';
import {
  type AttackReport,
  digestText,
  elementsOf,
  parseAttackReport,
  readBundle,
  type VerifyReport,
} from '@regulon/shared/transparency';
import { z } from 'zod';
import {
  attachmentOfBundle,
  type BundleEntry,
  type BundleFiles,
  ofKind,
  readableEntries,
} from './bundle-entries.js';
import { type RoundFacts, roundFactsOf } from './report-rounds.js';

/** What the log says of one run, beside what verification found. */
export interface RunFacts {
  readonly run: string;
  readonly proposal: {
    readonly entry: number;
    readonly by: string;
    readonly at: string;
    readonly purpose: string;
    readonly code: string;
    /** who built that code, as the researcher states; null when nobody says so, or row A3 finds fault with it */
    readonly builder: string | null;
    /** noise, clip and δ that the plan claims; null without differential privacy */
    readonly privacy: {
      readonly mechanism: string;
      readonly sigma: string;
      readonly clip: string;
      readonly delta: string;
      readonly unit: string;
    } | null;
  } | null;
  readonly approvals: readonly {
    readonly entry: number;
    readonly steward: string;
    readonly at: string;
    readonly dataset: string;
    readonly version: number;
    readonly validUntil: string;
    /** how many conditions; their text is in the entry */
    readonly conditions: number;
  }[];
  readonly rounds: readonly RoundFacts[];
  /** membership tests of its released models, as their sites signed them */
  readonly tests: readonly { readonly entry: number; readonly report: AttackReport }[];
}

/** All that an audit report shows, as data. Texts that people wrote freely are left out: they may name a person. */
export interface AuditDocument {
  readonly schema: 'regulon.audit-report/1';
  readonly tool: string;
  /** SHA-256 of the files that were judged */
  readonly bundle: { readonly bytes: number; readonly digest: string };
  readonly policy: { readonly digest: string };
  /** evidence level that was verified */
  readonly level: number;
  readonly verification: VerifyReport;
  readonly federation: {
    readonly founded: string;
    readonly members: readonly { readonly id: number; readonly name: string }[];
    readonly administrators: number;
    readonly minCohort: number;
    readonly evidenceLevel: number;
    readonly software: string;
  } | null;
  readonly policies: readonly {
    readonly entry: number;
    readonly site: string;
    readonly purposes: readonly string[];
    readonly legalBasis: string;
    readonly references: readonly string[];
    readonly dataUse: readonly string[];
    readonly epsilonCap: string | null;
    readonly delta: string | null;
    readonly unit: string;
    readonly minCohort: number;
    readonly validUntil: string | null;
  }[];
  readonly datasets: readonly {
    readonly entry: number;
    readonly site: string;
    readonly dataset: string;
    readonly version: number;
    readonly band: string;
    readonly unit: string;
    readonly declared: 'public' | 'simulated' | 'not public';
    readonly dataUse: readonly string[];
    /** the commitment has the digest of a quality report */
    readonly hasQualityReport: boolean;
  }[];
  /** plans that two persons of a site excepted from its policy */
  readonly exceptions: readonly {
    readonly entry: number;
    readonly site: string;
    readonly rule: string;
    readonly planHash: string;
    readonly expires: string;
  }[];
  readonly runs: readonly RunFacts[];
  /** kind and time of every entry shown, for the picture */
  readonly timeline: readonly { readonly entry: number; readonly kind: string; readonly at: string }[];
  /** entries whose texts look like those of a person (row D1): nothing of them is shown */
  readonly withheld: readonly number[];
}

/** What `auditDocument` puts together. */
export interface DocumentInput {
  readonly tool: string;
  readonly level: number;
  readonly report: VerifyReport;
  /** attacker-controlled */
  readonly bundle: Uint8Array;
  readonly policy: Uint8Array;
}

/** Gather what a report shows. @throws E_BUNDLE if the archive cannot be read */
export function auditDocument({ tool, level, report, bundle, policy }: DocumentInput): AuditDocument {
  const { files } = readBundle(bundle);
  const withheld = report.rules.find(({ id }) => id === 'D1')?.evidence ?? [];
  const hidden = new Set(withheld);
  const entries = readableEntries(files).filter(({ index }) => !hidden.has(index));
  return {
    ...{ schema: 'regulon.audit-report/1', tool, level, verification: report, withheld },
    bundle: { bytes: bundle.length, digest: digestText(sha256(bundle)) },
    policy: { digest: digestText(sha256(policy)) },
    federation: federationOf(entries, files),
    policies: ofKind(entries, 'policy.set').map(policyFacts),
    datasets: ofKind(entries, 'dataset.commit').map(datasetFacts),
    exceptions: ofKind(entries, 'policy.override').map(exceptionFacts),
    runs: report.runs.map(({ run, planHash }) => runFacts(run, planHash, entries, files)),
    timeline: entries.map(({ index, entry: { kind, at } }) => ({ entry: index, kind, at })),
  };
}

function federationOf(entries: readonly BundleEntry[], files: BundleFiles): AuditDocument['federation'] {
  const genesis = ofKind(entries, 'federation.genesis')[0]?.entry;
  if (!genesis) return null;
  const { members, administratorThreshold, minCohort, evidenceLevel, software } = genesis.body;
  const named = elementsOf<{ id: number; name: string }>(
    members,
    z.object({ id: z.int(), name: z.string() }),
    (digest) => attachmentOfBundle(files, digest),
  );
  return {
    founded: genesis.at,
    members: named.map(({ id, name }) => ({ id, name })),
    ...{ administrators: administratorThreshold, minCohort, evidenceLevel, software },
  };
}

function policyFacts({ index, entry }: BundleEntry<'policy.set'>): AuditDocument['policies'][number] {
  const { purposes, legalBasis, references, dataUse, epsilonCap, delta, unit, minCohort, validUntil } =
    entry.body;
  return {
    ...{ entry: index, site: entry.actor.id, references: references.map(({ kind }) => kind) },
    ...{ purposes, legalBasis, dataUse, epsilonCap, delta, unit, minCohort, validUntil },
  };
}

function datasetFacts({ index, entry }: BundleEntry<'dataset.commit'>): AuditDocument['datasets'][number] {
  const { dataset, version, band, unit, dataUse, qualityReport, public: isPublic, simulated } = entry.body;
  const declared = isPublic ? 'public' : simulated ? 'simulated' : 'not public';
  return {
    ...{ entry: index, site: entry.actor.id, dataset, version, band, unit, declared, dataUse },
    hasQualityReport: qualityReport !== null,
  };
}

/** Without the justification, which a person wrote freely. */
function exceptionFacts({
  index,
  entry,
}: BundleEntry<'policy.override'>): AuditDocument['exceptions'][number] {
  const { rule, planHash, expires } = entry.body;
  return { entry: index, site: entry.actor.id, rule, planHash, expires };
}

function runFacts(
  run: string,
  planHash: string,
  entries: readonly BundleEntry[],
  files: BundleFiles,
): RunFacts {
  const own = entries.filter(({ entry }) => entry.run === run);
  const start = ofKind(own, 'run.start')[0]?.entry.body;
  const named = new Set(
    start && elementsOf(start.approvals, z.int(), (digest) => attachmentOfBundle(files, digest)),
  );
  const proposal = ofKind(entries, 'plan.propose').find(
    ({ index, entry }) => index === start?.proposal && entry.body.planHash === planHash,
  );
  return {
    run,
    proposal: proposal ? proposalFacts(proposal) : null,
    approvals: ofKind(entries, 'plan.approve')
      .filter(({ index }) => named.has(index))
      .map(approvalFacts),
    rounds: roundFactsOf(own, files),
    tests: ofKind(own, 'model.release').flatMap((release) => testsOf(release, files)),
  };
}

/** Attack reports of a release that can be read; row R2 says what is wrong with the others. */
function testsOf({ index, entry }: BundleEntry<'model.release'>, files: BundleFiles): RunFacts['tests'] {
  return entry.body.tests.flatMap(({ report: { digest } }) => {
    const bytes = attachmentOfBundle(files, digest);
    try {
      return bytes ? [{ entry: index, report: parseAttackReport(bytes) }] : [];
    } catch {
      return [];
    }
  });
}

function proposalFacts({ index, entry }: BundleEntry<'plan.propose'>): RunFacts['proposal'] {
  const { purpose, code, provenance, privacy } = entry.body;
  const claimOf = ({ mechanism, sigma, clip, delta, unit }: NonNullable<typeof privacy>) => ({
    ...{ mechanism, sigma, clip, delta, unit },
  });
  return {
    ...{ entry: index, by: entry.actor.id, at: entry.at, purpose, code },
    builder: provenance?.subject === code ? provenance.builder : null,
    privacy: privacy && claimOf(privacy),
  };
}

function approvalFacts({ index, entry }: BundleEntry<'plan.approve'>): RunFacts['approvals'][number] {
  const { dataset, datasetVersion: version, validUntil, conditions } = entry.body;
  return {
    ...{ entry: index, steward: entry.actor.id, at: entry.at, dataset, version, validUntil },
    conditions: conditions.length,
  };
}
