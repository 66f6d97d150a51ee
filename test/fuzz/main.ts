import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { explainError, RegulonError } from '@regulon/shared/errors';
import { hex, sha256 } from '@regulon/shared/crypto';
import { writeCorpus } from './harness/corpus.js';
import { describeFailure } from './harness/fuzzer.js';
import { fuzzWatched, type Outcome } from './harness/watched.js';
import { allTargets } from './targets/index.js';

const OPTIONS = {
  minutes: { type: 'string', default: '5' },
  inputs: { type: 'string', default: '1000000000' },
  target: { type: 'string', multiple: true, default: [] as string[] },
  seed: { type: 'string', default: '1' },
  format: { type: 'string', default: 'table' },
  failures: { type: 'string', default: 'fuzz-failures' },
  'write-corpus': { type: 'boolean', default: false },
} as const;

const say = (line: string): void => void process.stderr.write(`${line}\n`);

async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({ args: [...args], options: OPTIONS });
  const targets = allTargets();
  if (values['write-corpus'])
    for (const target of targets) say(`${target.name}: ${writeCorpus(target)} inputs`);
  const known = targets.map(({ name }) => name);
  for (const target of targets) await target.close?.();
  if (values['write-corpus']) return 0;
  const names = values.target.length > 0 ? values.target : known;
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new RegulonError('E_ARGUMENT', `no target named ${unknown}`, {
      hint: `one of ${known.join(', ')}`,
    });
  const time = (numberOf('minutes', values.minutes) * 60_000) / names.length;
  const [seed, inputs] = [numberOf('seed', values.seed), numberOf('inputs', values.inputs)];
  const outcomes: Outcome[] = [];
  for (const name of names) {
    const outcome = await fuzzWatched(name, seed, time, inputs);
    say(rowOf(outcome));
    keepFailures(values.failures, outcome);
    outcomes.push(outcome);
  }
  report(outcomes, values.format);
  return outcomes.every(({ failures }) => failures.length === 0) ? 0 : 1;
}

function numberOf(name: string, text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new RegulonError('E_ARGUMENT', `--${name}: not a positive number`);
}

const rowOf = ({ target, inputs, accepted, ways, slowest, failures }: Outcome): string =>
  [
    target.padEnd(24),
    String(inputs).padStart(9),
    String(accepted).padStart(9),
    String(ways).padStart(6),
    `${slowest.ms.toFixed(0)} ms`.padStart(9),
    failures.length === 0 ? '' : `  ${failures.length} FAILED`,
  ].join('');

/** The shortest input of each failure, in a folder, named by target and digest. */
function keepFailures(folder: string, { target, failures }: Outcome): void {
  for (const { failure, input } of failures) {
    mkdirSync(folder, { recursive: true });
    const path = join(folder, `${target}-${hex(sha256(input)).slice(0, 12)}.bin`);
    writeFileSync(path, input);
    say(`${describeFailure({ target, failure, input })}\n  kept as ${path}`);
  }
}

function report(outcomes: readonly Outcome[], format: string): void {
  const inputs = outcomes.reduce((sum, outcome) => sum + outcome.inputs, 0);
  if (format !== 'json') {
    process.stdout.write(`${inputs} inputs over ${outcomes.length} targets\n`);
    return;
  }
  const targets = outcomes.map(({ target, slowest, failures, ...counts }) => ({
    ...{ target, ...counts, slowestMs: Math.round(slowest.ms) },
    failures: failures.map(({ failure, input }) => ({ failure, input: hex(input) })),
  }));
  process.stdout.write(`${JSON.stringify({ schema: 'regulon.fuzz/1', inputs, targets })}\n`);
}

main(process.argv.slice(2)).then(
  (code) => (process.exitCode = code),
  (error: unknown) => {
    say(explainError(error));
    process.exitCode = error instanceof RegulonError ? error.exitCode : 5;
  },
);
