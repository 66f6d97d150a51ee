import type { Loss } from '@regulon/shared/models';
import { headTargets, type Plan, type Target, trackColumns } from '@regulon/shared/plan';
import type { LocalDataset } from '../data/index.js';

/** A number that a model gives of each unit. */
export interface SampleOutput {
  readonly name: string;
  /** back to the unit of the data: value · scale + center */
  readonly center: number;
  readonly scale: number;
}

/**
 * What the numbers that a model gives of a unit stand for, in their order.
 *
 * @param inputs names of what it reads
 * @returns one a number, as far as the plan names them
 */
export function outputsOf(
  plan: Plan,
  { genes }: Pick<LocalDataset, 'genes'>,
  inputs: readonly string[],
): SampleOutput[] {
  switch (plan.task) {
    case 'classify':
      return (plan.label?.classes ?? []).map(({ name }) => plain(name));
    case 'reconstruct':
      return inputs.map(plain);
    case 'forecast':
      return genes.slice(1).map(plain);
    case 'heads':
      return headTargets(plan).flatMap(({ target, loss }) => outputsOfHead(target, loss));
  }
}

const plain = (name: string): SampleOutput => ({ name, center: 0, scale: 1 });

function outputsOfHead(target: Target, loss: Loss): SampleOutput[] {
  const { head } = target;
  switch (target.kind) {
    case 'classes':
      return target.classes.map(({ name }) => plain(`${head}: ${name}`));
    case 'numbers': {
      const { columns, center, scale } = target;
      return columns.map((column) => ({ name: `${head}: ${column}`, center, scale }));
    }
    case 'track':
      return trackColumns(target).flatMap((base) =>
        (target.classes ?? ['']).map((name) => plain(`${head}: ${base}${name && ` ${name}`}`)),
      );
    case 'survival':
      return loss.type === 'discrete-time'
        ? loss.edges.map((edge) => plain(`${head}: hazard until ${edge}`))
        : [plain(`${head}: log risk`)];
  }
}
