import type { Plan } from '@regulon/shared/plan';
import { isPlanDocument, type PlanDocument, readPlanFile } from '../plan-file/index.js';
import { type DataLayout, detectLayout, exampleFile } from '../sim/index.js';
import type { DemoOptions } from './options.js';

const SIMULATED_PLAN = 'brca3-cnn.sim.yaml';

/** The plan and the real data of a demo; without a layout the data are simulated for the plan. */
export interface DemoChoice {
  readonly plan: Plan;
  readonly layout: DataLayout | null;
}

/**
 * What a demo runs, from its options.
 *
 * @throws E_ARGUMENT, E_PLAN
 */
export function chooseDemo(options: DemoOptions): DemoChoice {
  const layout = options.data === undefined ? null : detectLayout(options.data);
  const file = options.plan ?? exampleFile(layout?.plan ?? SIMULATED_PLAN);
  return { plan: readPlanFile(file, (document) => change(document, options)), layout };
}

function change(document: PlanDocument, { seed, rounds, sites }: DemoOptions): void {
  if (seed !== undefined) document['seed'] = seed;
  if (sites !== undefined) document['sites'] = Array.from({ length: sites }, (_, i) => `site-${i + 1}`);
  const training = document['training'];
  if (rounds !== undefined && isPlanDocument(training)) training['rounds'] = rounds;
}
