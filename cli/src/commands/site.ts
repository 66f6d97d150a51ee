import type { Command } from 'commander';
import { readDaemonConfig } from '@regulon/client/config';
import { siteBudgetOf, type RunCharges, type SiteBudget } from '@regulon/client/privacy';
import { tableLines } from '../output/index.js';
import { type Context, handles } from './context.js';
import { joinCommands } from './site-join.js';
import { stewardCommands } from './site-steward.js';

/** `regulon site …`: what a hospital's own people ask of their daemon's state. */
export function siteCommands(program: Command, context: Context): void {
  const site = program.command('site').description('a hospital on its own machine: joins, signs, looks');
  joinCommands(site, context);
  stewardCommands(site, context);
  const budget = site
    .command('budget')
    .description('privacy spent and left, and which runs spent it; recomputed from the ledger')
    .requiredOption('--config <file>', 'configuration of the daemon');
  handles<{ config: string }>(budget, context, async (_, { config }) => {
    const data = siteBudgetOf(readDaemonConfig(config));
    const { epsilon } = data.spent;
    // JSON has no infinity
    const spent = { ...data.spent, epsilon: Number.isFinite(epsilon) ? epsilon : null };
    return { data: { ...data, spent }, rows: data.runs, lines: budgetLines(data) };
  });
}

function budgetLines({ dataset, budget, spent, left, runs }: SiteBudget): string[] {
  const { epsilon, delta, by, accountant } = spent;
  const claim = `at δ = ${delta}, one unit added or removed, in 1 hospital; ${by === 'none' ? accountant : `${by}, ${accountant}`}`;
  const total =
    epsilon === Infinity
      ? `${dataset}: sums without noise were released: no ε bounds them`
      : `${dataset}: spent ε = ${epsilon} ${claim}`;
  const rest =
    budget === null
      ? 'the policy sets no budget: releases are only recorded'
      : `left: ${left} of ε = ${budget.epsilon}`;
  if (runs.length === 0) return [total, rest, 'no charges'];
  const rows = tableLines(
    [
      { title: 'run', value: (row: RunCharges) => row.run },
      { title: 'charges', value: (row) => String(row.charges), right: true },
      { title: 'mechanisms', value: (row) => row.mechanisms.join(', ') },
    ],
    runs,
  );
  return [total, rest, '', ...rows];
}
