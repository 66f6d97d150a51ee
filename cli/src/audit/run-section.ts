import { untilText } from '@regulon/shared/plan';
import { bytesText } from '../output/index.js';
import { escaped, figureOf, htmlTable, membershipPicture } from '../run-report/index.js';
import type { AuditDocument, RunFacts } from './report-document.js';
import type { RoundFacts } from './report-rounds.js';

/** One run: what was to be done, who allowed it, and what left the sites in each round. */
export function runSection(run: RunFacts, { verification }: AuditDocument): string {
  const found = verification.runs.find((one) => one.run === run.run);
  const { proposal } = run;
  const privacy = proposal?.privacy;
  const rows = [
    ['plan', `${found?.plan ?? 'unknown'}, ${found?.planHash ?? ''}`],
    ['purpose', proposal?.purpose ?? 'unknown'],
    ['proposed', proposal ? `by ${proposal.by}, ${proposal.at}, entry ${proposal.entry}` : 'unknown'],
    ['software', proposal?.code ?? 'unknown'],
    ['software built by', proposal ? (proposal.builder ?? 'not stated') : 'unknown'],
    ['status', `${found?.status ?? 'unknown'}: ${found?.coverage ?? ''}`],
    ['data', found?.public ? 'every dataset is declared public or simulated' : 'not public'],
    [
      'differential privacy',
      privacy
        ? `${privacy.mechanism}, σ ${privacy.sigma}, clip ${privacy.clip}, δ ${privacy.delta}, unit ${privacy.unit}`
        : proposal
          ? 'none: the sums are not noised'
          : 'unknown',
    ],
    ['final model', found?.finalModel ?? 'none'],
    ['warnings', found?.warnings.join('; ') || 'none'],
  ];
  return [
    `<h2>Run ${escaped(run.run)}</h2>`,
    htmlTable(['', ''], rows),
    '<h3>Approvals</h3>',
    htmlTable(
      ['steward of', 'entry', 'when', 'dataset', 'until', 'conditions'],
      run.approvals.map(approvalRow),
    ),
    '<h3>What left the sites in each round</h3>',
    '<p>Masked vectors, of which only the sum over the sites could be read, and answers that take the masks off that sum. Cohort: sites invited, with keys (U1), with shares (U2), in the sum (U3).</p>',
    htmlTable(
      [
        'round',
        'entry',
        'for',
        'cohort',
        'masked vectors',
        'of numbers, bytes each',
        'answers',
        'noised',
        'end',
      ],
      run.rounds.map(roundRow),
    ),
    ...testsSection(run),
  ].join('\n');
}

/** Pictures of the membership tests that its releases rest on. */
function testsSection({ run, tests }: RunFacts): string[] {
  if (tests.length === 0) return [];
  const figures = tests.map(({ entry, report }, i) =>
    figureOf(`roc-${run}-${i}`, membershipPicture(report, `, release in entry ${entry}`)),
  );
  return ['<h3>What the released model gives away of single patients</h3>', ...figures];
}

const approvalRow = (a: RunFacts['approvals'][number]): string[] => [
  ...[a.steward, String(a.entry), a.at, `${a.dataset}, version ${a.version}`, untilText(a.validUntil)],
  a.conditions === 0 ? 'none' : `${a.conditions}: see the entry`,
];

function roundRow(round: RoundFacts): string[] {
  const { invited, u1, u2, u3 } = round.cohort;
  const cohort = [invited, u1, u2, u3].map((n) => n ?? '–').join(' / ');
  const size =
    round.elements === null
      ? '–'
      : `${round.elements}, ${round.bytes === null ? 'unknown' : bytesText(round.bytes)}`;
  return [
    `${round.round}, attempt ${round.attempt}`,
    ...[String(round.entry), `${round.purpose}: ${round.step}`, cohort, String(round.vectors), size],
    `${round.answers} to unmask, ${round.confirmations} to confirm`,
    `${round.noise === 'none' ? 'no' : round.noise}${round.charged > 0 ? `, ${round.charged} budgets charged` : ''}`,
    round.end === 'sum' ? 'sum' : `no sum: ${round.end}`,
  ];
}
