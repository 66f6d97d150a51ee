/** `npm run soak`: a whole run over lines of 4 Mbit/s and 300 ms with 5 % resets a second and six minutes without a line. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunDocument } from '@regulon/coordinator/runs';
import { calmRun, type RoughRun, roughRun, type Weather } from '../support/bad-line-run.js';

const real: Weather = {
  faults: { bytesPerSecond: 500_000, roundTripMs: 300, resetsPerSecond: 0.05 },
  outageMs: 360_000,
  outageAfterBytes: 7_000_000,
  rounds: 3,
  units: 256,
  patience: {},
};

const start = performance.now();
const say = (text: string): void => {
  const seconds = Math.round((performance.now() - start) / 1000);
  process.stderr.write(`${String(seconds).padStart(5)} s  ${text}\n`);
};

function table(calm: RunDocument, calmSeconds: number, rough: RoughRun): string {
  const rows = [
    ['', 'undisturbed', 'bad lines'],
    ['status', calm.status, rough.document.status],
    ['rounds', String(calm.rounds.length), String(rough.document.rounds.length)],
    ['seconds', calmSeconds.toFixed(0), rough.seconds.toFixed(0)],
    ['of them without a line', '0', rough.outageSeconds.toFixed(0)],
    ['connections', '', String(rough.connections)],
    ['resets', '', String(rough.resets)],
    ['model', short(calm), short(rough.document)],
  ];
  return rows.map(([what = '', a = '', b = '']) => `${what.padEnd(24)}${a.padEnd(24)}${b}\n`).join('');
}

const short = ({ modelDigest }: RunDocument): string => (modelDigest ?? 'none').slice(0, 23);

const root = mkdtempSync(join(tmpdir(), 'regulon-soak-'));
try {
  say('the undisturbed run');
  const calm = await calmRun(root, real);
  const calmSeconds = (performance.now() - start) / 1000;
  say(`${calm.status}; now the same over bad lines, which takes some twelve minutes`);
  const rough = await roughRun(root, real, say);
  say(rough.document.status);
  process.stdout.write(table(calm, calmSeconds, rough));
  const same = calm.status === 'COMPLETED' && rough.document.modelDigest === calm.modelDigest;
  process.stdout.write(same ? 'the same model\n' : 'ANOTHER MODEL, or none\n');
  process.exitCode = same && rough.outageSeconds > 0 ? 0 : 1;
} finally {
  rmSync(root, { recursive: true, force: true });
}
