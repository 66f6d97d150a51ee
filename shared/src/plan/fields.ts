import { z } from 'zod';

/** Name of a site, a dataset, a plan or a covariate. */
export const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'lower-case letters, digits and hyphens, at most 63');
/** A number above 0. */
export const positive = z.number().positive();

/** A whole number from 1 to `max`. */
export const count = (max: number) => z.int().min(1).max(max);
