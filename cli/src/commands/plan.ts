import type { Command } from 'commander';
import type { Plan } from '@regulon/shared/plan';
import type { PrivacyAccount } from '@regulon/shared/privacy';
import { costByRounds, costOfRun, noiseOfPlan, privacyClaim, type RoundCost } from '@regulon/shared/program';
import { realNumber, wholeNumber } from '../arguments/index.js';
import { bytesText, tableLines } from '../output/index.js';
import { type Leaving, outlineOf, type PlanOutline, readPlanFile } from '../plan-file/index.js';
import { type Context, handles } from './context.js';

const MEGABIT_BYTES = 125_000;

/** `regulon plan …`: everything about a plan before it runs. */
export function planCommands(program: Command, context: Context): void {
  const plan = program.command('plan').description('check a plan before it runs');
  validate(plan, context);
  estimate(plan, context);
}

function validate(plan: Command, context: Context): void {
  const command = plan
    .command('validate')
    .description('check a plan file; the error names the path')
    .argument('<file>', 'plan, YAML or JSON');
  handles(command, context, async ([file = '']) => {
    const parsed = readPlanFile(file);
    const outline = outlineOf(parsed);
    return {
      data: outline,
      lines: [
        `valid  ${outline.name}  ${outline.planHash}`,
        ...outlineLines(outline),
        '',
        ...privacyLines(parsed),
      ],
    };
  });
}

function estimate(plan: Command, context: Context): void {
  const command = plan
    .command('estimate')
    .description('rounds, bytes and time that follow from a plan')
    .argument('<file>', 'plan, YAML or JSON')
    .option('--genes <n>', 'size of the gene panel', '20000')
    .option('--link-mbit <n>', 'speed of the slowest site link, Mbit/s', '100')
    .option('--epsilon <number>', 'least noise with which the whole run costs a patient no more than this ε');
  handles<{ genes: string; linkMbit: string; epsilon?: string }>(
    command,
    context,
    async ([file = ''], options) => {
      const genes = wholeNumber('--genes', options.genes, 1, 10_000_000);
      const linkMbit = wholeNumber('--link-mbit', options.linkMbit, 1, 1_000_000);
      const parsed = readPlanFile(file);
      const outline = outlineOf(parsed, genes);
      const privacy = privacyOf(parsed, options.epsilon);
      const total = outline.rounds.reduce(
        (sum, round) => sum + (round.bytesUp ?? 0) + (round.bytesDown ?? 0),
        0,
      );
      const transferSeconds = total / (linkMbit * MEGABIT_BYTES);
      const coordinatorDiskBytes = outline.rounds.reduce((sum, round) => sum + (round.bytesDown ?? 0), 0);
      const data = { ...outline, genes, linkMbit, transferSeconds, coordinatorDiskBytes, ...privacy.data };
      const lines = [
        ...outlineLines(outline),
        '',
        ...leavingLines(outline),
        '',
        `transfer per site over ${linkMbit} Mbit/s: ${transferSeconds.toFixed(1)} s in all`,
        `disk at the coordinator for the sums: ${bytesText(coordinatorDiskBytes)}`,
        ...privacy.lines,
      ];
      return { data, lines };
    },
  );
}

/** What differential privacy covers and what it does not; ε by all accountants where they were asked. */
function privacyLines(plan: Plan, account?: PrivacyAccount): string[] {
  const { protectedBy, notProtected } = privacyClaim(plan, account);
  return [
    `protected by differential privacy: ${protectedBy}`,
    `not protected by differential privacy: ${notProtected}`,
  ];
}

/** What a run costs a patient, round by round and at each site, and the noise for another ε. */
function privacyOf(plan: Plan, wanted: string | undefined): { data: object; lines: string[] } {
  const z = wanted === undefined ? undefined : noiseOfPlan(plan, realNumber('--epsilon', wanted));
  const { privacy } = plan;
  const cost = costOfRun(plan);
  if (!privacy || !cost) return { data: { epsilon: null }, lines: privacyLines(plan) };
  const alone = costOfRun({ ...plan, privacy: { ...privacy, hospitalsPerPatient: 1 } }) ?? cost;
  const bySite = plan.sites.map((site) => ({ site, epsilon: alone.reported.epsilon }));
  const byRounds = costByRounds(plan);
  const { unit, adjacency, delta, hospitalsPerPatient: hospitals } = privacy;
  const claim = { unit, adjacency, hospitals, delta, by: cost.reported.by, accountant: cost.accountant };
  return {
    data: {
      epsilon: cost.epsilon,
      claim,
      bySite,
      byRounds,
      ...(z === undefined ? {} : { noise: { epsilon: Number(wanted), z } }),
    },
    lines: [
      ...privacyLines(plan, cost),
      `each of ${plan.sites.length} sites charges its ledger ε = ${alone.reported.epsilon.toPrecision(4)} at δ = ${delta} for the run`,
      ...(z === undefined ? [] : [`noise for ε = ${wanted} at δ = ${delta}: noiseMultiplier: ${z}`]),
      '',
      ...pictureLines(byRounds),
    ],
  };
}

/** ε against rounds, a bar a line. */
function pictureLines(points: readonly RoundCost[]): string[] {
  const most = Math.max(...points.map(({ epsilon }) => epsilon));
  const width = String(points.at(-1)?.rounds ?? 0).length;
  return points.map(({ rounds, epsilon }) => {
    const bar = '█'.repeat(Math.max(1, Math.round((40 * epsilon) / most)));
    return `after ${String(rounds).padStart(width)} rounds  ε ${epsilon.toPrecision(3).padEnd(6)} ${bar}`;
  });
}

const sizeText = (bytes: number | null): string => (bytes === null ? 'depends' : bytesText(bytes));

/** What leaves each site, masked: object, how often, how large. */
const leavingLines = ({ leaves }: PlanOutline): string[] =>
  tableLines(
    [
      { title: 'leaves each site, masked', value: ({ step, object }: Leaving) => `${step}: ${object}` },
      { title: 'times', value: ({ times }) => times, right: true },
      { title: 'size', value: ({ bytes }) => sizeText(bytes), right: true },
    ],
    leaves,
  );

function outlineLines(outline: PlanOutline): string[] {
  const rounds = tableLines(
    [
      { title: 'rounds', value: (r: PlanOutline['rounds'][number]) => r.purpose },
      { title: 'number', value: (r) => r.rounds, right: true },
      { title: 'up per site', value: (r) => sizeText(r.bytesUp), right: true },
      { title: 'down per site', value: (r) => sizeText(r.bytesDown), right: true },
    ],
    outline.rounds,
  );
  return [
    `task       ${outline.task}`,
    `sites      ${outline.sites.length}: ${outline.sites.join(', ')} (a round may lose ${outline.mayLose})`,
    ...outline.ownedBlocks.map(
      ({ name, owners }) => `owners     of ${name}: ${owners.join(', ')}; its sum is one over these alone`,
    ),
    ...outline.groups.map((line) => `groups     ${line}`),
    `models     ${outline.arms.length}: ${outline.arms.join(', ')}`,
    `features   ${outline.features ?? 'as many as the gene panel'}`,
    `parameters ${outline.parameters?.toLocaleString('en') ?? 'depends on the gene panel'}`,
    '',
    ...rounds,
  ];
}
