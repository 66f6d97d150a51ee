import { untilText } from '@regulon/shared/plan';
import { bytesText } from '../output/index.js';
import { escaped, figureOf, htmlPage, htmlTable } from '../run-report/index.js';
import { humanRows } from './human-rows.js';
import type { AuditDocument } from './report-document.js';
import { runSection } from './run-section.js';
import { rowMeanings } from './row-meanings.js';
import { timelinePicture } from './timeline.js';

const section = (title: string, ...parts: string[]): string => `<h2>${title}</h2>${parts.join('\n')}`;
const or = (text: string | number | null | undefined, none: string): string => String(text ?? none);

/** An audit as one HTML page that loads nothing and runs nothing, to be printed and signed. Every text is escaped. */
export function auditPage(document: AuditDocument): string {
  const { status, federation } = document.verification;
  const picture = timelinePicture(document);
  return htmlPage(`${status.toUpperCase()}: audit of ${federation ?? 'a log'}`, [
    verdictOf(document),
    machineSection(document),
    federationSection(document),
    ...document.runs.map((run) => runSection(run, document)),
    ...(picture ? [section('When', figureOf('timeline', picture))] : []),
    humanSection(document),
    evidenceSection(document),
    signatures(),
  ]);
}

function verdictOf({ verification, withheld }: AuditDocument): string {
  const { status, firstLine } = verification;
  const broken =
    status === 'pass'
      ? ''
      : '<p>The log breaks at least one rule. What follows repeats what the bundle states: none of it is to be relied on.</p>';
  const hidden =
    withheld.length === 0
      ? ''
      : `<p>Nothing is shown of entries ${escaped(withheld.join(', '))}: a text in them may name a person (row D1).</p>`;
  return `<p class="verdict"><strong>${escaped(firstLine)}</strong></p>${broken}${hidden}`;
}

function machineSection({ verification }: AuditDocument): string {
  const rows = verification.rules.map(({ id, status, rule, note, evidence }) => [
    ...[id, status, rule, rowMeanings[id] ?? ''],
    [note, evidence.length > 0 ? `entries ${evidence.join(', ')}` : ''].filter(Boolean).join('; '),
  ]);
  return section(
    'Rules that a program judged',
    '<p>What a row means holds where its status is “pass”. “Not-applicable” says in the note why nothing was judged.</p>',
    htmlTable(['row', 'status', 'rule', 'what it means', 'note'], rows),
  );
}

function federationSection({
  federation,
  verification,
  policies,
  datasets,
  exceptions,
}: AuditDocument): string {
  const { quorum, gateMode, log } = verification;
  const { N, f, q } = quorum;
  const rows = [
    ['log', log.origin],
    ['entries', String(log.size)],
    ['root', log.root],
    ['founded', or(federation?.founded, 'unknown')],
    ['members', federation?.members.map(({ id, name }) => `${id} ${name}`).join(', ') ?? 'unknown'],
    ['gate mode', or(gateMode, 'unknown')],
    ['cosignatures', `${q} of ${N} sites needed, ${or(f, 'unknown')} may collude`],
    ['administrators who change the members', or(federation?.administrators, 'unknown')],
    ['smallest cohort', or(federation?.minCohort, 'unknown')],
  ];
  const policyRows = policies.map((p) => [
    ...[p.site, String(p.entry), p.purposes.join(', '), p.legalBasis, p.dataUse.join(', ') || 'none'],
    ...[
      p.epsilonCap ?? 'none',
      String(p.minCohort),
      p.validUntil === null ? 'no end' : untilText(p.validUntil),
    ],
  ]);
  const dataRows = datasets.map((d) => [
    ...[d.site, String(d.entry), `${d.dataset}, version ${d.version}`, `${d.band} (${d.unit})`, d.declared],
    d.dataUse.join(', ') || 'none',
  ]);
  const exceptionRows = exceptions.map((e) => [
    e.site,
    String(e.entry),
    e.rule,
    e.planHash,
    untilText(e.expires),
  ]);
  const policyTitles = [
    'site',
    'entry',
    'purposes',
    'legal basis',
    'data use',
    'ε cap',
    'smallest cohort',
    'until',
  ];
  return section(
    'Federation',
    htmlTable(['', ''], rows),
    '<h3>Policies of the sites</h3>',
    htmlTable(policyTitles, policyRows),
    '<h3>Datasets that the sites committed to</h3>',
    htmlTable(['site', 'entry', 'dataset', 'size', 'declared', 'data use'], dataRows),
    ...(exceptions.length === 0
      ? []
      : [
          '<h3>Plans that two persons of a site excepted from its policy</h3>',
          htmlTable(['site', 'entry', 'rule', 'plan', 'until'], exceptionRows),
        ]),
  );
}

function humanSection(document: AuditDocument): string {
  const rows = humanRows(document).map(({ question, evidence }) => [question, evidence, '']);
  return section(
    'Questions for a person',
    `<div class="box">${htmlTable(['question', 'what the log says', 'answer, initials'], rows)}</div>`,
  );
}

function evidenceSection({ tool, level, bundle, policy, verification, federation }: AuditDocument): string {
  const kept = federation ? `; the federation promised level ${federation.evidenceLevel}` : '';
  const rows = [
    ['bundle (SHA-256)', `${bundle.digest}, ${bytesText(bundle.bytes)}`],
    ['quorum policy (SHA-256)', policy.digest],
    ['evidence level', `${level}${kept}`],
    ['judged as of', verification.asOf],
    ['tool', tool],
  ];
  return section(
    'What was judged, and what it cannot show',
    htmlTable(['', ''], rows),
    '<p>The log proves who stated what, when and in which order. It does not prove that a site told the truth about its data, its noise or its software. Secure aggregation hides the contribution of a single site, not what the sums themselves tell: that takes differential privacy.</p>',
    '<p>To check this page: <code>regulon audit verify</code> with the bundle and the policy of these digests, the policy from a site.</p>',
  );
}

function signatures(): string {
  const rows = ['Auditor', 'Data steward', 'Second person'].map((who) => [who, '', '', '']);
  return section(
    'Signatures',
    `<div class="box">${htmlTable(['', 'name', 'place and date', 'signature'], rows)}</div>`,
  );
}
