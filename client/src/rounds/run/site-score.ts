import { addedHeads, type BaselineScores, type RunProgram, type SiteScore } from '@regulon/shared/program';
import type { SiteData } from '../../datasets/index.js';
import type { EvaluateResult } from '../../training/index.js';

/** The score of one more arm added. */
export function addScore(score: SiteScore, result: EvaluateResult): SiteScore {
  const add = (a: number | undefined, b: number | undefined): number => (a ?? 0) + (b ?? 0);
  const confusion = result.confusion?.map((n, i) => n + (score.confusion?.[i] ?? 0));
  const scores = result.scores?.map((x, i) => x + (score.scores?.[i] ?? 0));
  return {
    count: score.count + result.count,
    lossSum: add(score.lossSum, result.lossSum),
    squaredError: add(score.squaredError, result.squaredError),
    targetCount: add(score.targetCount, result.targetCount),
    ...(confusion ? { confusion } : {}),
    ...(scores ? { scores } : {}),
    ...(result.heads ? { heads: addedHeads(score.heads ?? [], result.heads) } : {}),
    ...(score.baselines ? { baselines: score.baselines } : {}),
  };
}

/** A score with those of the plan's baselines in one more arm. */
export async function withBaselines(
  score: SiteScore,
  request: Omit<Parameters<SiteData['scoreBaselines']>[0], 'models'>,
  program: RunProgram,
  data: SiteData,
): Promise<SiteScore> {
  const models = program.baselines.models(request.arm.index);
  if (models.length === 0) return score;
  const added = await data.scoreBaselines({ ...request, models });
  if (!added) return score;
  return { ...score, baselines: added.map((own, i) => addedScores(own, score.baselines?.[i])) };
}

/** Scores of one baseline over two arms. */
function addedScores(own: BaselineScores, before: BaselineScores | undefined): BaselineScores {
  if (!before) return own;
  if ('confusion' in own && 'confusion' in before)
    return {
      confusion: own.confusion.map((n, k) => n + (before.confusion[k] ?? 0)),
      lossSum: own.lossSum + before.lossSum,
    };
  return 'confusion' in own || 'confusion' in before ? own : addedHeads(before, own);
}
