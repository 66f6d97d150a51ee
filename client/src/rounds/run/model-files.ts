import { existsSync, readdirSync, rmSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { equalBytes, MerkleHasher } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import type { CheckedStep, MeasuredSums } from '@regulon/shared/program';
import { decodeSigned32, TILE_BYTES } from '@regulon/shared/secagg';
import { readFully, rootOfFile, writeWhole } from '../../files/index.js';

/**
 * The global weights of each arm, float32 little-endian in manifest order, as files in the folder of the run.
 *
 * A model is derived, never received: the catalogue's initialiser first, then the server step over each aggregate.
 */
export class ModelFiles {
  constructor(private readonly folder: string) {}

  /** File of an arm's model after a training round, or its initial one (`round` null). */
  path(arm: number, round: number | null): string {
    return join(this.folder, `model-${arm}-${round ?? 'initial'}.f32`);
  }

  /** Write the initial weights. @returns modelHash, 32 bytes */
  async initialise(arm: number, pieces: Iterable<Float32Array>): Promise<Uint8Array> {
    return this.write(this.path(arm, null), function* () {
      for (const piece of pieces) yield new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength);
    });
  }

  /**
   * Apply the server step tile by tile: memory is a tile of the weights and of each sum, whatever the model.
   *
   * @param from current weights
   * @param sums files of ring words, 4 bytes each, as the step takes them; extras behind the weights are left alone
   * @param parameters d
   * @returns modelHash of the next weights, 32 bytes, and what the step has seen
   * @throws E_CEILING, E_OUTLIER when honest sites cannot have made the sum, or hardly; no model is left behind
   */
  async step(
    job: { arm: number; round: number; from: string; sums: readonly string[]; parameters: number },
    serverStep: CheckedStep,
  ): Promise<{ readonly modelHash: Uint8Array; readonly measured: MeasuredSums }> {
    const size = 4 * job.parameters;
    const files: FileHandle[] = [];
    let measured: MeasuredSums = { norms: [] };
    const buffers = [job.from, ...job.sums].map(() => new Uint8Array(TILE_BYTES));
    const tiles = async function* (): AsyncGenerator<Uint8Array> {
      for (let offset = 0; offset < size; offset += TILE_BYTES) {
        const length = Math.min(TILE_BYTES, size - offset);
        const [current = new Uint8Array(), ...sums] = buffers.map((buffer) => buffer.subarray(0, length));
        for (const [f, file] of files.entries())
          await readFully(file, [current, ...sums][f] ?? current, offset);
        const next = new Float32Array(current.buffer, 0, length / 4);
        serverStep.tile(next, sums.map(decodeSigned32), next, offset / 4);
        yield current;
      }
      measured = serverStep.finish();
    };
    try {
      for (const path of [job.from, ...job.sums]) files.push(await open(path, 'r'));
      return { modelHash: await this.write(this.path(job.arm, job.round), tiles), measured };
    } finally {
      for (const file of files) await file.close();
    }
  }

  /** @throws E_STATE_DB when the stored weights are not the ones that the journal names */
  async verify(path: string, modelHash: Uint8Array, parameters: number): Promise<void> {
    const root = existsSync(path) ? await rootOfFile(path, 4 * parameters) : undefined;
    if (root && equalBytes(root, modelHash)) return;
    throw new RegulonError('E_STATE_DB', `${path} is not the model that the journal of this site names`);
  }

  /** Remove the older models of an arm. @param rounds those whose models are still needed; null: the initial one */
  prune(arm: number, rounds: readonly (number | null)[]): void {
    const keep = new Set(rounds.map((round) => this.path(arm, round)));
    for (const name of readdirSync(this.folder)) {
      const path = join(this.folder, name);
      if (name.startsWith(`model-${arm}-`) && !keep.has(path)) rmSync(path, { force: true });
    }
  }

  private async write(
    path: string,
    pieces: () => Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  ): Promise<Uint8Array> {
    const hasher = new MerkleHasher();
    await writeWhole(path, 'model', async (part) => {
      const file = await open(part, 'w', 0o600);
      try {
        for await (const piece of pieces()) {
          hasher.update(piece);
          await file.writeFile(piece);
        }
      } finally {
        await file.close();
      }
    });
    return hasher.root();
  }
}
