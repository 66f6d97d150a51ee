import { canonicalJson, hashJson, utf8 } from '../crypto/index.js';
import { RegulonError } from '../errors/index.js';
import { verifyCatalogue } from '../models/index.js';
import { combinationRuleBroken } from './combination.js';
import { evaluationRuleBroken } from './evaluation-rules.js';
import { modelRuleBroken } from './model-rules.js';
import { parseStrict } from './parse-strict.js';
import { type Plan, planSchema } from './plan.js';
import { privacyRuleBroken } from './privacy-rules.js';
import { targetRuleBroken } from './target-rules.js';

/**
 * Read a plan from parsed YAML or JSON, defaults filled in, with the rules that need several fields.
 *
 * @throws E_PLAN naming the path; E_CATALOGUE when its model needs a newer program
 */
export function parsePlan(value: unknown): Plan {
  if (typeof value === 'object' && value !== null && 'model' in value) verifyCatalogue(value.model);
  const plan = parseStrict(planSchema, value, 'plan', 'E_PLAN');
  const refuse = (path: string, rule: string): never => {
    throw new RegulonError('E_PLAN', `plan: ${path}: ${rule}`);
  };
  if (plan.task === 'classify' && !plan.label) refuse('label', 'a classification needs classes');
  if (plan.task === 'forecast' && plan.dataset.kind !== 'series')
    refuse('dataset.kind', 'a forecast needs series');
  if (plan.task === 'forecast' && plan.evaluation.split !== 'chronological')
    refuse('evaluation.split', 'a forecast is split chronologically');
  if (plan.task !== 'forecast' && plan.evaluation.split === 'chronological')
    refuse('evaluation.split', 'only a forecast is split chronologically');
  const heads = targetRuleBroken(plan) ?? evaluationRuleBroken(plan);
  if (heads) refuse(heads.path, heads.rule);
  const unfit = wrongDataset(plan);
  if (unfit) refuse(...unfit);
  const { gamma, nMin } = plan.secureAggregation;
  if (gamma.num * 2 >= gamma.den) refuse('secureAggregation.gamma', 'must be below one half');
  if (plan.sites.length < nMin) refuse('sites', `${plan.sites.length} sites are fewer than nMin ${nMin}`);
  if (plan.sites.length < 5 && gamma.num !== 0)
    refuse('secureAggregation.gamma', '3 or 4 sites need gamma 0 (no protection against a colluding site)');
  if (plan.evaluation.split === 'leave-site-out' && plan.sites.length < 4)
    refuse('evaluation.split', 'leaving one of 3 sites out leaves fewer than 3 contributors');
  const contributors = plan.sites.length - (plan.evaluation.split === 'leave-site-out' ? 1 : 0);
  const { minSurvivors = 0 } = plan.deadlines;
  if (minSurvivors > contributors)
    refuse('deadlines.minSurvivors', `a round has ${contributors} contributors, fewer than ${minSurvivors}`);
  const { noise, quantizationBits } = plan.secureAggregation;
  if (noise && quantizationBits === undefined)
    refuse('secureAggregation.quantizationBits', 'noise needs it: the default leaves no room in the ring');
  const wrong = wrongSubCohort(plan);
  if (wrong) refuse(...wrong);
  const uncombined = combinationRuleBroken(plan);
  if (uncombined) refuse(uncombined.path, uncombined.rule);
  const { schedule, rounds } = plan.training;
  if (schedule && schedule.warmupRounds >= rounds)
    refuse('training.schedule.warmupRounds', `the warm-up must end before the last of ${rounds} rounds`);
  const log = plan.prepare.findIndex(({ step }) => step === 'log2-cpm');
  if (log >= 0 && plan.dataset.scale !== 'counts') refuse(`prepare[${log}]`, 'log2-cpm needs counts');
  const leaks = privacyRuleBroken(plan);
  if (leaks) refuse(leaks.path, leaks.rule);
  const broken = modelRuleBroken(plan);
  if (broken) refuse(broken.path, broken.rule);
  return plan;
}

/** Which key does not go with the kind of the dataset, and why. */
function wrongDataset(plan: Plan): [path: string, rule: string] | undefined {
  const { dataset, task, prepare } = plan;
  const { kind, scale } = dataset;
  if (dataset.channels && (kind !== 'series' || task !== 'classify'))
    return ['dataset.channels', 'only series that are classified have channels'];
  if (kind === 'omics') return wrongOmics(plan);
  if ((kind === 'sequences') !== (scale === 'bases'))
    return ['dataset.scale', 'bases are what sequences hold'];
  if (kind !== 'expression' && task === 'reconstruct') return ['task', `${kind} cannot be reconstructed`];
  if (kind !== 'expression' && prepare.length > 0) return ['prepare[0]', `${kind} are prepared by no steps`];
  return undefined;
}

/** Which key does not go with several omics, and why. */
function wrongOmics({
  dataset,
  task,
  prepare,
  model: { inputs = [] },
}: Plan): [path: string, rule: string] | undefined {
  if (dataset.scale !== 'log-ratio')
    return ['dataset.scale', 'omics are log-ratio: real numbers of any unit'];
  if (task !== 'classify' && task !== 'heads') return ['task', 'omics are read to classify, or by heads'];
  const other = prepare.findIndex(({ step }) => step !== 'z-score' && step !== 'confounding');
  if (other >= 0)
    return [`prepare[${other}]`, 'omics are prepared by z-score only, by the units that have them'];
  if (inputs.length === 0) return ['model.inputs', 'omics need an input each, named as they are'];
  const open = inputs.findIndex(({ mask }) => mask !== 'unit');
  if (open >= 0) return [`model.inputs[${open}].mask`, 'an omic may be missing: unit'];
  return undefined;
}

/** Which key does not go with sub-cohorts, and why. */
function wrongSubCohort({
  secureAggregation: { subCohort, nMin },
  sites,
  evaluation,
  deadlines,
}: Plan): [path: string, rule: string] | undefined {
  if (subCohort === undefined) return undefined;
  const path = 'secureAggregation.subCohort';
  if (subCohort < nMin) return [path, `groups of ${subCohort} sites are below nMin ${nMin}`];
  if (sites.length < 2 * subCohort) return [path, `${sites.length} sites are not two groups of ${subCohort}`];
  if (evaluation.split === 'leave-site-out')
    return ['evaluation.split', 'a group with a site that is held out could be too small'];
  if (deadlines.minSurvivors !== undefined)
    return ['deadlines.minSurvivors', 'each group has its own least number of survivors'];
  return undefined;
}

/** Numbers as decimal strings: the log and the digests carry no floating point. */
function withDecimals(value: unknown): unknown {
  if (typeof value === 'number') return decimalOf(value);
  if (Array.isArray(value)) return value.map(withDecimals);
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(
      Object.entries(value)
        .filter(([, v]) => v !== undefined)
        .map(([k, v]) => [k, withDecimals(v)]),
    );
  }
  return value;
}

/** The shortest decimal that reads back as the same double, without an exponent. @throws E_NOT_FINITE */
export function decimalOf(value: number): string {
  if (!Number.isFinite(value)) throw new RegulonError('E_NOT_FINITE', 'a declared number is not finite');
  const text = String(value);
  const match = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(text);
  if (!match) return text;
  const [, sign = '', head = '', tail = '', exponent = '0'] = match;
  const shift = Number(exponent);
  return shift < 0
    ? `${sign}0.${'0'.repeat(-shift - 1)}${head}${tail}`
    : `${sign}${head}${tail.padEnd(shift, '0')}`;
}

/** Canonical bytes of a plan: JCS with defaults filled in and numbers as decimal strings. */
export function planBytes(plan: Plan): Uint8Array {
  return utf8(canonicalJson(withDecimals(plan)));
}

/** planHash of the manifest and of every approval: H_x("plan"), 32 bytes. */
export function planHashOf(plan: Plan): Uint8Array {
  return hashJson('plan', planBytes(plan));
}
