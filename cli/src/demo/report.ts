import { costOfRun, privacyClaim } from '@regulon/shared/program';
import { bytesText, type Column, tableLines } from '../output/index.js';
import { listedStep } from '../plan-file/index.js';
import type { DemoOutcome, DemoRound } from './outcome.js';
import { scoreLines } from './scores.js';

/** The final report, for the hospital's IT and the researcher alike. The coverage stands in the first line. */
export function reportLines(outcome: DemoOutcome): string[] {
  const kind = outcome.simulated ? 'simulated' : 'declared public';
  return [
    `${outcome.status}  ${outcome.coverage}`,
    `Every dataset is ${kind}: the rules for public runs apply. Log gate: ${outcome.gateMode}.`,
    '',
    ...dataLines(outcome),
    ...findingLines(outcome),
    '',
    ...scoreLines(outcome),
    '',
    ...roundLines(outcome),
    '',
    'What left each site (never a value of a patient, never an update in the clear)',
    ...leavingLines(outcome).map((line) => `  ${line}`),
    '',
    `Model   ${outcome.modelDigest ?? 'none'}`,
    `Log     ${outcome.log.size} entries, root ${outcome.log.root}`,
    ...outcome.log.lines.map((line) => `        ${line}`),
    ...machineLines(outcome),
    ...outcome.files.map((file) => `File    ${file}`),
    '',
    'Secure aggregation hid every single update. It does not hide what their sum, the model, tells: that takes',
    'differential privacy.',
    ...privacyLines(outcome.plan),
  ];
}

function privacyLines(plan: DemoOutcome['plan']): string[] {
  const { protectedBy, notProtected } = privacyClaim(plan, costOfRun(plan));
  return [
    `  protected by differential privacy: ${protectedBy}`,
    `  not protected by differential privacy: ${notProtected}`,
  ];
}

function dataLines({ plan, reference, run }: DemoOutcome): string[] {
  const units = reference.units.reduce((sum, site) => sum + site.units, 0);
  const names = reference.units.map(({ site, units: n }) => `${site} ${n}`).join(', ');
  return [
    `Plan    ${plan.name}: ${plan.title}`,
    `Run     ${run}`,
    `Data    ${units} units (${plan.dataset.unit}) at ${reference.units.length} sites: ${names}`,
    `Split   ${splitWords(plan.evaluation.split, plan.evaluation.horizon)}`,
  ];
}

const findingLines = ({ rounds }: DemoOutcome): string[] =>
  rounds.flatMap(({ finding }) => (finding ? [`Before  ${finding.text}`] : []));

function splitWords(split: DemoOutcome['plan']['evaluation']['split'], horizon: number): string {
  switch (split) {
    case 'leave-site-out':
      return 'each site left out once and tested on the model of the others';
    case 'holdout':
      return 'one fifth of the units of each site held out inside the site';
    case 'nested':
      return 'one fifth of the units of each site validates, one fifth is held out and never scored';
    case 'none':
      return 'nothing held out: every unit trains, nothing is scored';
    case 'det5':
      return 'five folds inside each site; one score over all of them';
    case 'chronological':
      return `the last ${horizon} steps of each series, one step ahead`;
  }
}

function roundLines({ rounds, seconds }: DemoOutcome): string[] {
  const sorted = rounds.map((round) => round.seconds).sort((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const training = rounds.findLast((round) => round.purpose === 'train');
  const bytes = training
    ? `; a training round moves ${bytesText(training.bytesUpPerSite)} up and ${bytesText(training.bytesDownPerSite)} down per site`
    : '';
  return [
    `Rounds  ${rounds.length}, median ${median.toFixed(2)} s, at most ${(sorted.at(-1) ?? 0).toFixed(2)} s${bytes}`,
    `Time    ${seconds.toFixed(1)} s from the start of the processes to this report`,
  ];
}

function leavingLines({ rounds, stepWords }: DemoOutcome): string[] {
  const groups = new Map<string, DemoRound[]>();
  for (const round of rounds) {
    const step = listedStep(round);
    groups.set(step, [...(groups.get(step) ?? []), round]);
  }
  const columns: Column<[string, DemoRound[]]>[] = [
    { title: 'object', value: ([step]) => stepWords[step] ?? step },
    { title: 'times', value: ([, list]) => list.length, right: true },
    { title: 'size', value: ([, list]) => bytesText(list[0]?.bytesUpPerSite ?? 0), right: true },
    {
      title: 'form',
      value: ([, list]) =>
        `masked, ${list[0]?.purpose === 'train' ? 32 : 64}-bit ring; only the sum is readable`,
    },
  ];
  return tableLines(columns, [...groups]);
}

function machineLines({ eventLoopMaxMs, memory }: DemoOutcome): string[] {
  const loop =
    eventLoopMaxMs === null ? 'not measured' : `blocked for at most ${eventLoopMaxMs.toFixed(0)} ms`;
  if (memory.together === 0) return [`Process coordinator's event loop ${loop}`];
  const sites = Object.entries(memory.byName).filter(([name]) => name !== 'coordinator');
  const largest = Math.max(0, ...sites.map(([, bytes]) => bytes));
  const coordinator = bytesText(memory.byName['coordinator'] ?? 0);
  return [
    `Process coordinator's event loop ${loop}`,
    `Memory  coordinator ${coordinator}, largest site ${bytesText(largest)}, all processes together ${bytesText(memory.together)} (peaks)`,
  ];
}
