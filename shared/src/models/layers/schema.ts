import { z } from 'zod';

/** A whole number from 1 to `max`. */
export const size = (max: number) => z.int().min(1).max(max);
/** What a layer applies to its outputs. */
export const activation = z.enum(['linear', 'relu', 'tanh', 'sigmoid']).default('linear');
export type Activation = z.output<typeof activation>;
export const kernelInit = z.enum(['glorot-uniform', 'he-uniform']).default('glorot-uniform');
/** Added to variances before the square root. */
export const epsilon = z.number().min(1e-8).max(1).default(1e-5);
/** A file that the model is made with (graph, gene layout), by the SHA-256 of its bytes. */
export const fileDigest = z.string().regex(/^sha256:[0-9a-f]{64}$/, 'sha256: and 64 lower-case digits');
