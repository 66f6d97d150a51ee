/**
 * One array that outlives a job. Touching 84 MB of fresh memory takes several times as long as reading a file into it.
 *
 * A trainer does one job at a time: what stands in the array belongs to the job that took it last.
 */
export class KeptArray {
  #array = new Float32Array(0);

  /** @returns of this length, with whatever the job before left in it */
  take(length: number): Float32Array {
    if (this.#array.length !== length) {
      this.#array = new Float32Array(0); // never both at once
      this.#array = new Float32Array(length);
    }
    return this.#array;
  }
}
