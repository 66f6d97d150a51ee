import { sha256, utf8 } from '../crypto/index.js';
import {
  type ActorType,
  type AttackFindings,
  type AttackReport,
  attackReportBytes,
  type BodyOf,
  armModel,
  digestText,
  elementsOf,
  errorOfShare,
  FALSE_POSITIVE_RATES,
  type LogEntry,
  MediaType,
  NOT_PROTECTED,
  parseEntry,
  type ReleaseTerms,
  signAttackReport,
  signRelease,
} from '../transparency/index.js';
import type { SampleLog } from './sample-log.js';
import { sample, sampleCommitment } from './sample-options.js';
import { SAMPLE_DELTA } from './sample-privacy.js';

/** What is wrong in a release. */
export interface SampleRelease {
  readonly terms?: Partial<ReleaseTerms>;
  /** sites whose stewards sign; all by default */
  readonly approvers?: readonly string[];
  /** changes what the stewards have signed, after they signed it */
  readonly afterwards?: Partial<BodyOf<'model.release'>>;
  readonly report?: Partial<AttackReport>;
  /** who signs the report; its site by default */
  readonly reporter?: readonly [ActorType, string];
  /** changes the report after it was signed */
  readonly rewritten?: Partial<AttackReport>;
  /** each point of the curve of its attack; a bound is stated where the run claims privacy */
  readonly point?: Partial<AttackReport['attacks'][number]['curve'][number]>;
}

const names = ['site-1', 'site-2', 'site-3', 'site-4', 'site-5'];
const file = { digest: digestText(sha256(utf8('a file'))), size: 72 };
const { run } = sample;

/** Release the final model of the run of a log. @returns index of the entry */
export function sampleRelease(log: SampleLog, wrong: SampleRelease = {}): number {
  const { model = digestText(new Uint8Array(32)), arm = 0 } = finalModel(log);
  const { approvers = names, report, point, afterwards, rewritten } = wrong;
  const findings = reportOf(log, point, { model, arm, ...report });
  const { reporter = ['site', findings.site] } = wrong;
  const signed = signAttackReport(findings, log.federation.signer(...reporter));
  const attached = log.attach(attackReportBytes({ ...signed, ...rewritten }), MediaType.json);
  const terms: ReleaseTerms = {
    ...{ arm, model, format: 'safetensors', file, intendedUse: 'research on subtypes' },
    ...{ privacy: guaranteeOf(log), tests: [{ site: 'site-1', report: attached }] },
    ...wrong.terms,
  };
  const place = { fed: log.federation.roster.federationId, run };
  const approvals = approvers.map((site) =>
    signRelease(place, terms, site, log.federation.signer('steward', site)),
  );
  return log.write(['researcher', 'r1'], 'model.release', { run }, { ...terms, approvals, ...afterwards });
}

/** Take the file of a release out. @returns index of the entry */
export function sampleExport(
  log: SampleLog,
  release: number,
  wrong: Partial<BodyOf<'model.export'>> = {},
): number {
  const { model = '' } = finalModel(log);
  const body = { release, model, format: 'safetensors', file, ...wrong } as const;
  return log.write(['researcher', 'r1'], 'model.export', { run }, body);
}

function finalModel(log: SampleLog): { model?: string; arm?: number } {
  const { models = [] } = entriesOf(log, 'run.finish').at(-1)?.body ?? {};
  return elementsOf(models, armModel, (digest) => log.attachments.get(digest))[0] ?? {};
}

function guaranteeOf(log: SampleLog): ReleaseTerms['privacy'] {
  if (!log.privacy) return NOT_PROTECTED;
  const after = entriesOf(log, 'round.contribution').at(-1)?.body.charge?.after ?? '2.5';
  const sites = names.map((site) => ({ site, epsilon: after, delta: SAMPLE_DELTA }));
  return { unit: 'patient', adjacency: 'add-remove', sites };
}

function reportOf(
  log: SampleLog,
  point: SampleRelease['point'],
  more: Partial<AttackFindings> & Pick<AttackFindings, 'model' | 'arm'>,
): AttackFindings {
  const curve = FALSE_POSITIVE_RATES.map((falsePositives) => {
    const rate = Number(falsePositives);
    const error = String(
      Math.ceil(1024 * errorOfShare(rate, 1.05 * rate, { members: 100, others: 50 })) / 1024,
    );
    const bound = log.privacy ? String(1.05 * rate) : null;
    return { falsePositives, found: String(Math.round(32 * rate) / 32), error, bound, ...point };
  });
  return {
    ...{
      schema: 'regulon.attack-report/1',
      run,
      site: 'site-1',
      commitment: sampleCommitment('site-1'),
      members: '100-199',
      others: '50-99',
    },
    attacks: [{ attack: 'loss-threshold', area: '0.5', curve }],
    ...more,
  };
}

function entriesOf<K extends 'run.finish' | 'round.contribution'>(log: SampleLog, kind: K): LogEntry<K>[] {
  return log.entries
    .map((bytes) => parseEntry(bytes))
    .filter((entry): entry is LogEntry<K> => entry.kind === kind);
}
