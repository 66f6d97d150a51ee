import { z } from 'zod';
import { RegulonError } from '../../errors/index.js';
import type { PrivacyEvent } from '../account.js';
import { verifyNoise, verifyRate, verifySteps } from '../checks.js';

/** Numbers are decimal strings: what is hashed carries no floating point. */
const decimal = z.string().regex(/^\d{1,20}(\.\d{1,40})?$/, 'a decimal number');
const count = z.int().min(1);
const about = {
  /** what the release was for: purpose and step of its round */
  purpose: z.int().min(0),
  step: z.string().max(200),
  /** when, by the clock of the site: milliseconds since the epoch; absent in charges of the first version */
  at: z.int().min(0).optional(),
};
const claim = {
  unit: z.enum(['patient', 'hospital']),
  adjacency: z.literal('add-or-remove-one'),
  sampler: z.string().min(1).max(64),
};

/** One release as the ledger stores it: what was done, never what it costs. */
export const chargedEventSchema = z.discriminatedUnion('mechanism', [
  /** an exact sum: no finite ε */
  z.strictObject({ mechanism: z.literal('none'), ...about }),
  /** steps of DP-SGD inside the hospital; q is a multiple of 2⁻³² */
  z.strictObject({
    mechanism: z.literal('gaussian'),
    q: decimal,
    z: decimal,
    steps: count,
    /** noise multiplier of the count of units that is released with it, once a run; absent: none is */
    counted: decimal.optional(),
    /** SHA-256 of what was released, hexadecimal: sent again it costs nothing again */
    release: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .optional(),
    ...claim,
    ...about,
  }),
  /** noise in the ring: variance z²Q²/h of each of h contributors, d coordinates */
  z.strictObject({
    mechanism: z.enum(['discrete-gaussian', 'skellam']),
    z: decimal,
    Q: count,
    h: count,
    d: count,
    ...claim,
    ...about,
  }),
]);

/** An event of a ledger that was checked. */
export type ChargedEvent = z.infer<typeof chargedEventSchema>;

/**
 * What an event is to the accountants: one mechanism or two; undefined for a release without noise.
 *
 * The sensitivity of ring noise is Q + √d: rounding to whole units moves each coordinate by less than one.
 *
 * @throws E_PRIVACY when its numbers are out of range
 */
export function privacyEventsOf(event: ChargedEvent): PrivacyEvent[] | undefined {
  switch (event.mechanism) {
    case 'none':
      return undefined;
    case 'gaussian': {
      const [q, noise] = [Number(event.q), Number(event.z)];
      verifyRate(q);
      verifyNoise(noise);
      verifySteps(event.steps);
      const steps: PrivacyEvent = { mechanism: 'gaussian', q, z: noise, steps: event.steps };
      if (event.counted === undefined) return [steps];
      verifyNoise(Number(event.counted));
      return [steps, { mechanism: 'gaussian', q: 1, z: Number(event.counted), steps: 1 }];
    }
    case 'discrete-gaussian':
    case 'skellam': {
      const { mechanism, Q, h, d } = event;
      const noise = Number(event.z);
      verifyNoise(noise);
      const localSigma = (noise * Q) / Math.sqrt(h);
      const sensitivity = Q + Math.sqrt(d);
      return [{ mechanism, localSigma, contributors: h, sensitivity, dimensions: d, steps: 1 }];
    }
  }
}

/** @throws E_LEDGER when an event that is stored is none */
export function parseChargedEvent(value: unknown, seq: number): ChargedEvent {
  const result = chargedEventSchema.safeParse(value);
  if (result.success) return result.data;
  throw new RegulonError(
    'E_LEDGER',
    `charge ${seq} of the privacy ledger is no event that this program knows`,
  );
}
