import { RegulonError } from '@regulon/shared/errors';

/** Units of a class below which nothing about its attributions leaves this process. */
export const MIN_ATTRIBUTED_UNITS = 10;

/** Sums over the units of one class; each array is [inputs]. */
export interface ClassSums {
  /** 0 where the class has too few units: then the sums are zeros */
  readonly units: number;
  readonly absolute: Float64Array;
  readonly sum: Float64Array;
  readonly squares: Float64Array;
}

/** Σ|a|, Σa and Σa² of attributions by class: all that a secure sum may ever see of them. */
export class AttributionSums {
  readonly #classes: { units: number; absolute: Float64Array; sum: Float64Array; squares: Float64Array }[];

  /** @param classes 1 for a task without classes */
  constructor(classes: number, inputs: number) {
    const zeros = (): Float64Array => new Float64Array(inputs);
    this.#classes = Array.from({ length: classes }, () => ({
      units: 0,
      absolute: zeros(),
      sum: zeros(),
      squares: zeros(),
    }));
  }

  /** @param values attributions of one unit, [inputs] @throws E_NOT_FINITE if one is NaN or infinite */
  add(group: number, values: Float64Array): void {
    if (!values.every(Number.isFinite)) {
      const hint = 'check the preparation of the samples, and the model that they are given to';
      throw new RegulonError('E_NOT_FINITE', 'an attribution is not finite', { hint });
    }
    const sums = this.#classes[group]!;
    sums.units += 1;
    values.forEach((a, i) => {
      sums.absolute[i] = sums.absolute[i]! + Math.abs(a);
      sums.sum[i] = sums.sum[i]! + a;
      sums.squares[i] = sums.squares[i]! + a * a;
    });
  }

  /**
   * What may leave: a class with fewer than 10 units gives zeros and counts 0.
   *
   * @throws E_UNITS if no class has 10 units
   */
  released(): ClassSums[] {
    const classes = this.#classes.map((sums) => (sums.units < MIN_ATTRIBUTED_UNITS ? withheld(sums) : sums));
    if (classes.some(({ units }) => units > 0)) return classes;
    const message = `attributions are summed over at least ${MIN_ATTRIBUTED_UNITS} units of a class; this site has fewer in each`;
    throw new RegulonError('E_UNITS', message, {
      hint: `leave this site out: a sum of attributions covers at least ${MIN_ATTRIBUTED_UNITS} of its units`,
    });
  }
}

function withheld({ sum }: ClassSums): ClassSums {
  const zeros = (): Float64Array => new Float64Array(sum.length);
  return { units: 0, absolute: zeros(), sum: zeros(), squares: zeros() };
}
