import type { RunProgram } from './program.js';
import { Purpose } from './schedule.js';

/** Close every statistics round of the next arm with the exact sums of five toy sites. */
export function fitNextArm(program: RunProgram): void {
  for (let round = program.next(); round?.purpose === Purpose.statistics; round = program.next()) {
    const step = program.step(round);
    const sums = new Float64Array(step.length(program.specification(round.arm)));
    for (const site of round.contributors) {
      const values = Float64Array.from({ length: 8 * 6 }, (_, i) => 1 + ((i * 7 + site * 13) % 23));
      const labels = Int32Array.from({ length: 8 }, (_, i) => i % 2);
      const local = step.local(
        { n: 8, genes: 6, values, labels, classes: 2 },
        program.specification(round.arm),
      );
      local.forEach((v, i) => (sums[i] = (sums[i] ?? 0) + v));
    }
    program.complete(round, { survivors: round.contributors, extras: { fault: 0 }, sums });
  }
}
