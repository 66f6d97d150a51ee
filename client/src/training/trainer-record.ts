import { appendFile } from 'node:fs/promises';
import path from 'node:path';
import type { BackendRecord } from './backends/backend.js';
import type { TrainResult } from './job.js';

/** In the run's folder at the site: what trained there, one JSON object a line. */
export const TRAINER_RECORD = 'trainer.jsonl';

/** The record of one trainer: its backend, once it has trained a round, and each round that it trained. */
export class TrainerRecord {
  #hasBackend = false;

  constructor(
    private readonly folder: string,
    private readonly backend: BackendRecord & { readonly calibration?: Readonly<Record<string, number>> },
  ) {}

  async add(round: number, { steps, stepMilliseconds, deltaSha256 }: TrainResult): Promise<void> {
    if (!this.#hasBackend) await this.#append({ type: 'backend', ...this.backend });
    this.#hasBackend = true;
    await this.#append({ type: 'round', round, steps, stepMilliseconds, deltaSha256 });
  }

  /** A disk that takes no line must not end a round: whoever reads the record sees that it is short. */
  async #append(entry: object): Promise<void> {
    const line = `${JSON.stringify(entry)}\n`;
    await appendFile(path.join(this.folder, TRAINER_RECORD), line, { mode: 0o600 }).catch(() => undefined);
  }
}
