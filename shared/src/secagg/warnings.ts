import type { Manifest } from './manifest.js';

/**
 * What a round does not protect against because roster or plan say so, in words for people; shown on every round.
 *
 * @param c colluding sites that the thresholds tolerate
 */
export function warningsOf(
  { quorumRule, subCohort }: Pick<Manifest, 'quorumRule' | 'subCohort'>,
  c: number,
): string[] {
  return [
    ...(c === 0 ? ['no protection against a colluding site'] : []),
    ...(quorumRule === 1
      ? ['simple majority: no protection against split cohorts when colluding sites stand in both']
      : []),
    ...(subCohort > 0
      ? [
          `sub-cohorts: the coordinator and every member learn the sum of every group of ${subCohort} or more sites`,
        ]
      : []),
  ];
}
