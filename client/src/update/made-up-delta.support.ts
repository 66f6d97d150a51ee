/** A made-up delta and the manifest that it fits, for specs of masking by threads. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Manifest } from '@regulon/shared/secagg';

/** Write a delta of `d` values into a folder. */
export function madeUpDelta(folder: string, d: number): { manifest: Manifest; deltaPath: string } {
  const deltaPath = join(folder, 'delta.f32');
  writeFileSync(
    deltaPath,
    Float32Array.from({ length: d }, (_, k) => Math.sin(k) * 0.01),
  );
  const extras = [{ name: 'fault', scale: 1, min: 0, max: 1 }];
  const manifest: Partial<Manifest> = {
    d,
    Q: 2 ** 20,
    C: 100,
    ringBits: 32,
    fractionBits: 0,
    purpose: 0,
    extras,
  };
  return { manifest: manifest as Manifest, deltaPath };
}
