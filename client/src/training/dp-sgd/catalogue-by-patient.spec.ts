import { describe, expect, it } from '@jest/globals';
import {
  type Loss,
  lossSchema,
  type ModelDeclaration,
  modelDeclarationSchema,
  patientLevelLosses,
  patientLevelRule,
} from '@regulon/shared/models';
import type { TrainJob } from '../job.js';
import { layerCases } from '../layer-cases.support.js';
import { lossOf } from '../losses/index.js';
import { runTrainJob } from '../run-job.js';
import { verifyPatientLevel } from './patient-level.js';

const PATIENTS = 4;
const types = lossSchema.options.map(({ shape }) => shape.type.value);
/** A loss of each type, how wide its output is, and the target of a patient. */
function caseOf(type: Loss['type']): { loss: Loss; width: number; target: (patient: number) => number[] } {
  const survival = (p: number): number[] => [[5, 1, 3, 2][p] ?? 0, p === 2 ? 0 : 1];
  if (type === 'cross-entropy') return { loss: lossSchema.parse({ type }), width: 3, target: (p) => [p % 3] };
  if (type === 'cox') return { loss: lossSchema.parse({ type }), width: 1, target: survival };
  if (type === 'discrete-time')
    return { loss: lossSchema.parse({ type, edges: [1, 2, 4] }), width: 3, target: survival };
  return { loss: lossSchema.parse({ type }), width: 2, target: (p) => [p % 2, (p >> 1) % 2] };
}

/** Largest difference between the gradient of a patient in a batch and alone. */
function dependence(type: Loss['type']): number {
  const { loss, width, target } = caseOf(type);
  const goals = Array.from({ length: PATIENTS }, (_, p) => target(p));
  const output = Float32Array.from({ length: PATIENTS * width }, (_, i) => Math.sin(3 * i + 1));
  const together = output.slice();
  lossOf(loss, together, Float32Array.from(goals.flat()), width);
  const differences = goals.flatMap((goal, p) => {
    const alone = output.slice(p * width, (p + 1) * width);
    lossOf(loss, alone, Float32Array.from(goal), width);
    return [...alone].map((slope, i) => Math.abs(slope - (together[p * width + i] ?? NaN)));
  });
  return Math.max(...differences);
}

const withLoss = (loss: Loss): ModelDeclaration =>
  modelDeclarationSchema.parse({
    blocks: [{ name: 'head', layers: [{ type: 'dense', units: 2 }] }],
    heads: [{ block: 'head', outputs: 2, loss }],
  });

describe('the losses of the catalogue, patient by patient', () => {
  it.each(types)('%s: the gradient of a patient is its own, or it is refused by name', (type) => {
    const refused = patientLevelRule(withLoss(caseOf(type).loss));
    expect(dependence(type) < 1e-6).toBe(patientLevelLosses.has(type));
    if (patientLevelLosses.has(type)) expect(refused).toBeNull();
    else expect(refused).toMatchObject({ path: 'heads[0].loss', rule: expect.stringContaining(type) });
  });
});

describe('a private training at the daemon', () => {
  const privacy = { steps: 1 };
  const job = (declaration: object, more: object = { privacy }): TrainJob =>
    ({ declaration: { heads: [], ...declaration }, ...more }) as unknown as TrainJob;
  const layer = (type: string): object => ({ blocks: [{ layers: [{ type }] }] });
  const refusal = (name: string) =>
    expect.objectContaining({
      code: 'E_PRIVACY',
      message: expect.stringContaining(name),
    }) as unknown as Error;

  it.each(Object.keys(layerCases))('%s is known by patient, or nothing is trained', (type) => {
    const isKnown = patientLevelRule(job(layer(type)).declaration) === null;
    if (isKnown) expect(() => verifyPatientLevel(job(layer(type)))).not.toThrow();
    else expect(() => verifyPatientLevel(job(layer(type)))).toThrow(refusal(type));
    expect(() => verifyPatientLevel(job(layer(type), {}))).not.toThrow();
  });

  it('refuses what no plan can name either: a gated merge, a Cox loss, a layer of a later catalogue', () => {
    const gated = { blocks: [{ layers: [], merge: 'gated' }] };
    expect(() => verifyPatientLevel(job(gated))).toThrow(refusal('gated'));
    expect(() => verifyPatientLevel(job(withLoss(lossSchema.parse({ type: 'cox' }))))).toThrow(
      refusal('cox'),
    );
    expect(() => verifyPatientLevel(job(layer('spectral-norm')))).toThrow(refusal('spectral-norm'));
  });

  it('is refused by the process that trains, before it reads data', async () => {
    const context = { backend: undefined as never, onBeat: () => undefined };
    await expect(runTrainJob(job(layer('batch-norm')), context)).rejects.toThrow(refusal('batch-norm'));
  });
});
