import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type BenchRow, row } from './report.js';
import { MODELS, trainOnce } from './private-steps.js';

/** Steps of each training whose memory is looked at. */
const STEPS = 30;
/** What a private training may hold at its peak, in plain ones. */
const AT_MOST = 2;

/** Peak resident memory of a process that trains privately, against one that trains plainly. */
export function privateMemory(say: (line: string) => void): BenchRow[] {
  return MODELS.map(({ name }, model) => {
    const [plain, guarded] = (['plain', 'guarded'] as const).map((kind) => peakOf(model, kind)) as [
      number,
      number,
    ];
    say(`${name}: ${plain.toFixed(0)} MB plain, ${guarded.toFixed(0)} MB private`);
    const measured = { value: guarded, unit: 'MB', against: 'a plain training', reference: plain };
    return row({ name: `${name}, peak memory`, ...measured, atMost: AT_MOST * plain });
  });
}

function peakOf(model: number, kind: 'plain' | 'guarded'): number {
  const self = fileURLToPath(import.meta.url);
  const answer = execFileSync(process.execPath, [self, String(model), kind], { encoding: 'utf8' });
  return Number(answer);
}

/** In the process that is measured. */
async function main(model: number, kind: 'plain' | 'guarded'): Promise<void> {
  await trainOnce(MODELS[model]!, kind, STEPS);
  process.stdout.write(String(process.resourceUsage().maxRSS / 1024));
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  await main(Number(process.argv[2]), process.argv[3] === 'guarded' ? 'guarded' : 'plain');
