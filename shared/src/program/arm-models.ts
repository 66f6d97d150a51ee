import { RegulonError } from '../errors/index.js';

/** A model of an arm, and the training round that gave it; null for the initial one. */
export interface ArmModel {
  readonly round: number | null;
  /** digest, 32 bytes */
  readonly model: Uint8Array;
}

/** The current model of each arm of a run. */
export class ArmModels {
  private readonly current: (ArmModel | null)[];

  /** @param arms how many */
  constructor(arms: number) {
    this.current = Array.from({ length: arms }, () => null);
  }

  /** Null before it is initialised. @throws E_STATE when there is no such arm */
  of(arm: number): ArmModel | null {
    const model = this.current[arm];
    if (model === undefined) throw new RegulonError('E_STATE', `the run has no arm ${arm}`);
    return model;
  }

  /** @throws E_STATE when the arm has its initial model already */
  initialise(arm: number, model: Uint8Array): void {
    if (this.of(arm)) throw new RegulonError('E_STATE', `the model of arm ${arm} is initialised already`);
    this.current[arm] = { round: null, model };
  }

  set(arm: number, model: ArmModel): void {
    this.current[arm] = model;
  }
}
