import { specificationDigest } from '@regulon/shared/genomics';
import { isValidation, Purpose, type RunProgram, type ScheduledRound } from '@regulon/shared/program';

/** Digest of what followed from the last round: model, feature specification, figures, or the models that were scored. */
export function modelOutOf(program: RunProgram, round: ScheduledRound): Uint8Array | null {
  if (round.purpose === Purpose.statistics) return specificationDigest(program.specification(round.arm));
  if (isValidation(round)) return program.validation.digest(round.round);
  return round.purpose === Purpose.train ? program.model(round.arm) : program.modelHash(round);
}
