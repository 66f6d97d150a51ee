import type { Findings } from './findings.js';

/** Why a training round has no derived model, in the words of the report. */
export const UNDERIVED = {
  unread: 'without a plan that can be read',
  lost: 'without a kept sum or model',
  divided: 'with divisors of their own',
} as const;

/** How many rounds of all runs could be judged beyond level 1. */
export interface Level2Count {
  /** rounds that closed, and those of them that were summed again from masked vectors */
  closed: number;
  replayed: number;
  /** training rounds that closed with a model that follows from its sums, and those without one, by reason */
  derived: number;
  readonly underived: Record<keyof typeof UNDERIVED, number>;
}

export const noneJudged = (): Level2Count => ({
  ...{ closed: 0, replayed: 0, derived: 0 },
  underived: { unread: 0, lost: 0, divided: 0 },
});

/** What row S3 says unless it fails: of how many rounds the sum and the model were computed again, and why not of the others. */
export function remarkLevel2(
  findings: Findings,
  count: Level2Count,
  given: { readonly vectors: boolean; readonly blobs: boolean },
): void {
  const { closed, replayed, derived } = count;
  const said = [
    ...(given.vectors ? [`${replayed} of ${closed} rounds replayed`] : []),
    ...(given.blobs ? [modelsOf(count)] : []),
  ].join(', ');
  const judged = replayed + derived > 0;
  const none = 'level 2 needs what the coordinator kept, which is not in this bundle';
  findings.remark('S3', judged ? 'pass' : 'not-applicable', said || none);
}

function modelsOf({ derived, underived }: Level2Count): string {
  const left = Object.entries(underived).filter(([, many]) => many > 0);
  const missing = left.reduce((sum, [, many]) => sum + many, 0);
  const reasons = left.map(([why, many]) => `${many} ${UNDERIVED[why as keyof typeof UNDERIVED]}`);
  const rest = missing === 0 ? '' : ` (${missing} at level 1 only: ${reasons.join(', ')})`;
  return `${derived} of ${derived + missing} models derived${rest}`;
}
