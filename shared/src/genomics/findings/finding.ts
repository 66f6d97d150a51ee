import type { BatchShareFit } from '../batch-share/batch-share-fit.js';
import { associationOf } from '../confounding/association.js';
import type { ConfoundingFit } from '../confounding/confounding-fit.js';
import { type FeatureSpecification } from '../specification.js';
import { lastStep } from '../fitted-steps.js';
import { qualityFinding } from '../quality/quality-finding.js';
import type { LimmaVoomFit } from '../voom/voom-fit.js';

/** What a statistics round tells the researcher, before anything is trained; sums over all sites only. */
export interface Finding {
  /** id of the statistics step */
  readonly step: string;
  /** `alarm`: read it before the result is believed; `notice`: keep it in mind */
  readonly level: 'alarm' | 'notice' | 'quiet';
  /** one line for people, with the numbers */
  readonly text: string;
  /** the numbers by name */
  readonly values: Readonly<Record<string, number>>;
}

/** What a round found, or null when it only fits parameters. @param spec as fitted by the round */
export function findingOf(spec: FeatureSpecification, stepId: string): Finding | null {
  if (stepId.startsWith('batch-share-squares')) {
    const fitted = lastStep(spec, 'batch-share');
    return fitted ? batchShareFinding(spec, fitted) : null;
  }
  switch (stepId) {
    case 'confounding': {
      const fitted = lastStep(spec, 'confounding');
      return fitted ? confoundingFinding(fitted) : null;
    }
    case 'quality': {
      const fitted = lastStep(spec, 'quality');
      return fitted ? qualityFinding(fitted) : null;
    }
    case 'voom-weighted-residuals': {
      const fitted = lastStep(spec, 'limma-voom');
      return fitted ? testFinding(fitted) : null;
    }
    default:
      return null;
  }
}

const ADVICE = {
  alarm:
    'a model can learn the batch instead of the class: leave sites out, or correct batches with the class as covariate',
  notice: 'the classes are spread unevenly over the batches: a correction without the class removes signal',
  quiet: 'the classes are spread evenly over the batches',
} as const;

function confoundingFinding(fitted: ConfoundingFit): Finding {
  const { level, cramersV, correctedV, pValue, batchRule, majority } = associationOf(fitted);
  const share = (x: number): string => `${(100 * x).toFixed(1)} %`;
  const numbers = [
    `corrected Cramér's V ${correctedV.toFixed(3)}`,
    `p ${pValue.toExponential(1)}`,
    `"majority of the batch" right for ${share(batchRule)} of ${fitted.units} units, largest class ${share(majority)}`,
    `units per class ${[...fitted.classUnits].join(', ')}`,
  ];
  return {
    step: 'confounding',
    level,
    text: `${level}: labels and batches: ${numbers.join('; ')}: ${ADVICE[level]}`,
    values: {
      cramersV,
      correctedV,
      pValue,
      batchRule,
      majority,
      absent: fitted.absent,
      groups: fitted.groups,
    },
  };
}

const SIGNIFICANT = 0.05;

function testFinding({ table: { genes, logFC, adjusted } }: LimmaVoomFit): Finding {
  const found = [...adjusted.keys()].filter((j) => (adjusted[j] ?? 1) < SIGNIFICANT);
  const up = found.filter((j) => (logFC[j] ?? 0) > 0).length;
  const values = { genes: genes.length, up, down: found.length - up };
  return {
    step: 'limma-voom',
    level: 'quiet',
    text: `limma-voom: ${genes.length} genes tested, at a false discovery rate of 5 % ${up} up and ${values.down} down; the table stands in the feature specification of the model`,
    values,
  };
}

const CORRECTIONS: readonly string[] = ['batch-center', 'batch-z-score', 'remove-batch-effect', 'combat'];

function batchShareFinding({ steps }: FeatureSpecification, { share, batches }: BatchShareFit): Finding {
  // what follows without a round of its own stands after it already
  const before = steps.slice(
    0,
    steps.findLastIndex(({ step }) => step === 'batch-share'),
  );
  const corrected = before.find(({ step }) => CORRECTIONS.includes(step));
  const when = corrected ? `after ${corrected.step}` : 'before any correction of batches';
  return {
    step: 'batch-share',
    level: 'quiet',
    text: `batch-share: ${(100 * share).toFixed(1)} % of the variance lies between the ${batches} batches, ${when}`,
    values: { share, batches },
  };
}
