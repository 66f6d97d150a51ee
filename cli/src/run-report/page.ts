import type { RunDocument } from '@regulon/coordinator/runs';
import type { AttackReport } from '@regulon/shared/transparency';
import { type Plan, parsePlan } from '@regulon/shared/plan';
import { costOfRun, type Metrics, privacyClaim } from '@regulon/shared/program';
import { bytesText } from '../output/index.js';
import { groupLines, listedStep } from '../plan-file/index.js';
import { figureOf, type Picture } from './chart-frame.js';
import { calibrationPicture, confusionTable, curvePictures } from './class-figures.js';
import { learningPictures } from './curve-figures.js';
import { escaped, htmlTable } from './html.js';
import { htmlPage } from './html-page.js';
import { absentBaselines, baselinePictures } from './baseline-figures.js';
import { membershipPicture } from './roc-figure.js';
import { scoreRows, siteSentence } from './result-figures.js';
import type { ShownPreparations } from './preparations.js';
import { whyNoSites } from './site-means.js';
import { sitePicture } from './site-picture.js';
import { volcanoPicture } from './volcano.js';

/**
 * A run as one HTML page that loads nothing and runs nothing: sums over sites only, and each picture in words, too.
 *
 * @param shown of its preparations, as `shownPreparations` gives it
 * @param attacks membership tests of its models
 * @throws E_PLAN when the plan of the document cannot be read
 */
export function reportPage(
  document: RunDocument,
  shown: ShownPreparations = {},
  attacks: readonly AttackReport[] = [],
): string {
  const plan = parsePlan(document.plan);
  const sections = [
    headOf(document, plan),
    foundOf(document, shown),
    resultOf(document, plan),
    sitesOf(document, plan, shown),
    roundsOf(document),
    privacyOf(plan),
    attacksOf(attacks),
    closing(document),
  ];
  return htmlPage(plan.title || plan.name, sections);
}

function headOf(document: RunDocument, plan: Plan): string {
  const { status, coverage, reason, isPublic } = document;
  const rows = [
    ['run', document.run],
    ['plan', `${plan.name}, ${document.planHash}`],
    ['purpose', plan.purpose],
    ['sites', document.sites.map(({ name }) => name).join(', ')],
    ['model', document.modelDigest ?? 'none'],
    ['log', `${document.log.size} entries, root ${document.log.root}`],
    ...(document.finished === null ? [] : [['finished', new Date(document.finished).toISOString()]]),
    ...(reason ? [['ended early', `${reason.code}: ${reason.message}`]] : []),
  ];
  const kind = isPublic
    ? 'Every dataset of this run is public or simulated: the rules for public runs apply.'
    : 'Data of this run are not public: tables show no cell that the rules for released sums forbid.';
  return `<p><strong>${escaped(status)}</strong> ${escaped(coverage?.text ?? 'not started')}</p><p>${kind}</p>${htmlTable(['', ''], rows)}`;
}

/** What an attacker who has the model learns of single patients, as sites measured it. */
function attacksOf(attacks: readonly AttackReport[]): string {
  if (attacks.length === 0) return '';
  const pictures = attacks.map((report) => membershipPicture(report, `, model ${report.model}`));
  return `<h2>Membership tests</h2>${figures('attack', pictures)}`;
}

/** What was found before training: labels against batches, genes that differ. */
function foundOf({ rounds }: RunDocument, { test }: ShownPreparations): string {
  const lines = rounds.flatMap(({ finding }) => (finding ? [`${finding.level}: ${finding.text}`] : []));
  if (lines.length === 0 && !test) return '';
  const list = lines.map((line) => `<li>${escaped(line)}</li>`).join('');
  return `<h2>Before training</h2><ul>${list}</ul>${test ? figures('test', [volcanoPicture(test)]) : ''}`;
}

function resultOf(document: RunDocument, plan: Plan): string {
  const { result } = document;
  const learning = learningPictures(document);
  if (!result) return `<h2>Result</h2><p>There is none yet.</p>${figures('curve', learning)}`;
  const classes = plan.label?.classes.map(({ name }) => name) ?? [];
  const { confusion } = result.pooled;
  const absent = absentBaselines(plan);
  const { scores } = result;
  const pictures = [
    ...baselinePictures(plan, result),
    ...(scores?.classes ? curvePictures(scores.classes, classes) : []),
    ...(scores?.calibration ? [calibrationPicture(scores.calibration)] : []),
  ];
  return [
    '<h2>Result</h2>',
    `<p>${escaped(siteSentence(plan, result))}</p>`,
    ...(plan.evaluation.preparation === 'once'
      ? ['<p>Transductive: the preparation was fitted once, on test units too (never on their labels).</p>']
      : []),
    htmlTable(['score', 'value', '95 % interval'], scoreRows(result, classes)),
    ...(confusion ? ['<h2>Confusion matrix</h2>', confusionTable(confusion, classes)] : []),
    ...headTables(plan, result.pooled),
    ...(pictures.length > 0 ? ['<h2>Beside the result</h2>', figures('score', pictures)] : []),
    ...(absent === '' ? [] : [`<p>${escaped(absent)}</p>`]),
    ...(learning.length > 0 ? ['<h2>Learning curves</h2>', figures('curve', learning)] : []),
  ].join('\n');
}

/** Sites on principal components of their means, or why they must not be compared. */
function sitesOf(document: RunDocument, plan: Plan, { sites }: ShownPreparations): string {
  const why =
    whyNoSites(document, plan) ??
    (sites ? null : 'no mean of at least ten units of every site was fitted that compares them');
  const body =
    sites && why === null
      ? figures('sites', [sitePicture(sites)])
      : `<p>Not drawn: ${escaped(why ?? '')}.</p>`;
  return `<h2>Sites beside each other</h2>${body}`;
}

/** The confusion matrix of each head that has classes. */
function headTables({ targets = [] }: Plan, { heads = [] }: Metrics): string[] {
  return heads.flatMap(({ head, classes }) => {
    const target = targets.find((one) => one.head === head);
    const known = target && 'classes' in target ? (target.classes ?? []) : [];
    if (!classes || known.length === 0) return [];
    const names = known.map((one) => (typeof one === 'string' ? one : one.name));
    return [`<h2>Confusion matrix of ${escaped(head)}</h2>`, confusionTable(classes.confusion, names)];
  });
}

const figures = (id: string, pictures: readonly Picture[]): string =>
  pictures.map((picture, i) => figureOf(`${id}-${i + 1}`, picture)).join('\n');

function roundsOf({ rounds }: RunDocument): string {
  const steps = new Map<string, { times: number; bytes: number; least: number }>();
  for (const { step, purpose, bytesUpPerSite, survivors } of rounds) {
    // the sums of one baseline are alike: one row for all of them
    const name = `${purpose}: ${listedStep({ purpose, step })}`;
    const { times, least } = steps.get(name) ?? { times: 0, least: Infinity };
    steps.set(name, { times: times + 1, bytes: bytesUpPerSite, least: Math.min(least, survivors.length) });
  }
  const rows = [...steps].map(([name, { times, bytes, least }]) => [
    name,
    String(times),
    bytesText(bytes),
    String(least),
  ]);
  return `<h2>What left each site</h2><p>Masked vectors; only their sums over the sites could be read.</p>${htmlTable(['step', 'rounds', 'bytes a site and round', 'fewest sites in a sum'], rows)}`;
}

/** What differential privacy covers of this run and what it does not. */
function privacyOf(plan: Plan): string {
  const { protectedBy, notProtected } = privacyClaim(plan, costOfRun(plan));
  const groups = groupLines(plan)
    .map((line) => `<p>${escaped(line)}.</p>`)
    .join('');
  return `<h2>Differential privacy</h2><p>Protected: ${escaped(protectedBy)}.</p><p>Not protected: ${escaped(notProtected)}.</p>${groups}`;
}

const closing = ({ run }: RunDocument): string =>
  `<h2>How to check this page</h2><p>Secure aggregation hid each single contribution. It does not hide what the sums, the model among them, tell: that takes differential privacy. The log of the run proves which rounds took place: <code>regulon audit export ${escaped(run)}</code>, then <code>regulon audit verify</code>.</p>`;
