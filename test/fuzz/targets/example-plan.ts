import { parse } from 'yaml';
import { exampleFile } from '../harness/corpus.js';

/** The plan of an example, over the sites of a sample federation. */
export function examplePlan(): Record<string, unknown> {
  const plan = parse(exampleFile('brca3-mlp.sim.yaml')) as Record<string, unknown>;
  return { ...plan, sites: ['site-1', 'site-2', 'site-3', 'site-4', 'site-5'] };
}
