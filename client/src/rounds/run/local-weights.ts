import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunProgram, ScheduledRound } from '@regulon/shared/program';
import { guarded } from '../../state/index.js';

/**
 * The weights of a run that never leave this site: a file for each training round of an arm that this site worked on.
 *
 * A round starts from the file of the last one before it, so that its work can be done again after a crash, and a round
 * in which this site was absent changes nothing.
 */
export class LocalWeights {
  constructor(
    private readonly folder: string,
    private readonly program: RunProgram,
  ) {}

  /** What the trainer reads and writes in a round; empty for a model without such weights. @throws E_DISK_FULL */
  pathsFor({ arm, iteration }: ScheduledRound): { localWeightsPath?: string; nextLocalWeightsPath?: string } {
    const before = this.pathBefore(arm, iteration);
    // what a round before the last one left is asked for by none
    if (before === this.pathOf(arm, iteration - 1)) rmSync(this.pathOf(arm, iteration - 2), { force: true });
    return before === null
      ? {}
      : { localWeightsPath: before, nextLocalWeightsPath: this.pathOf(arm, iteration) };
  }

  /** What the trainer reads to score the model of an arm; empty likewise. @throws E_DISK_FULL */
  latest(arm: number): { localWeightsPath?: string } {
    const path = this.pathBefore(arm, this.program.contract.plan.training.rounds);
    return path === null ? {} : { localWeightsPath: path };
  }

  private pathBefore(arm: number, iteration: number): string | null {
    for (let i = iteration - 1; i >= 0; i--) {
      const path = this.pathOf(arm, i);
      if (existsSync(path)) return path;
    }
    const first = this.program.initialLocalWeights(arm);
    if (first.length === 0) return null;
    const path = join(this.folder, `local-${arm}-first.f32`);
    const bytes = new Uint8Array(first.buffer, first.byteOffset, first.byteLength);
    guarded('local weights', () => writeFileSync(path, bytes, { mode: 0o600, flush: true }));
    return path;
  }

  private pathOf(arm: number, iteration: number): string {
    return join(this.folder, `local-${arm}-${iteration}.f32`);
  }
}
