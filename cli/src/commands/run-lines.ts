import type { RunDocument } from '@regulon/coordinator/runs';
import { type HeadMetrics, mainScoreOf } from '@regulon/shared/program';
import { shareText, tableLines } from '../output/index.js';

/** A run for people; its first line carries the coverage, or what is waited for. */
export function documentLines(document: RunDocument): string[] {
  const { status, coverage, now, reason } = document;
  const lines = [`${status}  ${coverage?.text ?? 'not started'}`];
  if (now) lines.push(waitingText(document));
  if (reason) lines.push(`${reason.code}: ${reason.message}`);
  lines.push(`run     ${document.run}`, `plan    ${document.name}  ${document.planHash}`);
  if (document.modelDigest !== null) lines.push(`model   ${document.modelDigest}`);
  lines.push(`log     ${document.log.size} entries, root ${document.log.root}`, '', ...siteLines(document));
  const findings = document.rounds.flatMap(({ finding }) => (finding ? [finding.text] : []));
  if (findings.length > 0) lines.push('', ...findings);
  lines.push(...validationLines(document));
  const metrics = document.result?.pooled;
  if (metrics?.accuracy !== undefined)
    lines.push('', `accuracy ${shareText(metrics.accuracy)}, majority ${shareText(metrics.majority)}`);
  if (metrics?.heads) lines.push('', ...metrics.heads.map(headLine));
  if (metrics?.mse !== undefined) lines.push('', `mean squared error ${shareText(metrics.mse)}`);
  return lines;
}

/** One head: its score, what it is compared with, and how many units it was scored on. */
function headLine(metrics: HeadMetrics): string {
  const { name, value } = mainScoreOf(metrics);
  const { classes, survival } = metrics;
  const beside = classes
    ? `, majority ${shareText(classes.majority)}`
    : survival
      ? ` inside the sites, ${survival.events} events`
      : '';
  return `${metrics.head}: ${name} ${shareText(value)}${beside}, ${metrics.count} units`;
}

/** How the model of each arm was scored while it was trained: first, least and last loss, and the round that it is from. */
function validationLines({ validation, schedule, models }: RunDocument): string[] {
  const lines = (schedule?.arms ?? []).flatMap(({ arm, label }) => {
    const points = validation.filter((point) => point.arm === arm);
    const [first, last] = [points[0], points.at(-1)];
    if (!first || !last) return [];
    const least = points.reduce((best, point) => (point.loss < best.loss ? point : best));
    const share = last.accuracy === null ? '' : `, accuracy ${shareText(last.accuracy)}`;
    const kept = models.find((model) => model.arm === arm)?.trainingRound;
    return [
      `validation  ${label}: loss ${lossText(first)}, least ${lossText(least)}, last ${lossText(last)}${share}` +
        (kept === undefined ? '' : `; the model is that of round ${kept}`),
    ];
  });
  return lines.length > 0 ? ['', ...lines] : [];
}

const lossText = ({ loss, iteration }: RunDocument['validation'][number]): string =>
  `${loss.toPrecision(4)} after round ${iteration + 1}`;

function waitingText({ now, sites, schedule }: RunDocument): string {
  if (!now) return '';
  const names = now.waitingFor.map((id) => sites.find((site) => site.id === id)?.name ?? String(id));
  const since = now.since === null ? '' : ` since ${new Date(now.since).toISOString()}`;
  const waiting = names.length === 0 ? '' : `, waiting for ${names.join(', ')}${since}`;
  return `round ${now.round + 1} of ${schedule?.rounds ?? '?'}, ${now.stage}${waiting}`;
}

/** Whether a steward lets the run use the data, and when it was taken back. */
function approvalText({ approved, refused, refusedAt }: RunDocument['sites'][number]): string {
  if (refused === null) return approved ? 'yes' : 'no';
  return refusedAt === null ? refused : `${refused} at ${refusedAt.slice(0, 19)}Z`;
}

function siteLines({ sites }: RunDocument): string[] {
  return tableLines(
    [
      { title: 'site', value: (site: RunDocument['sites'][number]) => site.name },
      { title: 'connected', value: (site) => (site.connected ? 'yes' : 'no') },
      { title: 'approved', value: approvalText },
      {
        title: 'dataset',
        value: (site) =>
          site.dataset === null ? null : site.dataset.isPublic ? 'public or simulated' : 'committed',
      },
    ],
    sites,
  );
}
