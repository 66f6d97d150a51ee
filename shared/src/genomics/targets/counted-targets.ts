import { headTargets, type HeadTarget, type Plan, targetWidth } from '../../plan/index.js';

/** A number of units that must be large enough before anything about a target is released. */
export interface CountedTarget {
  /** in words, for errors */
  readonly name: string;
  /** whether a unit counts, by the row of its targets */
  readonly counts: (row: ArrayLike<number>) => boolean;
  /** counted over training and held-out units together only */
  readonly isWhole?: boolean;
}

/**
 * What is counted of the targets of a plan: units with a target, units of each class, each answer of a yes or no, events,
 * and the events of each interval.
 */
export function countedTargets(plan: Pick<Plan, 'model' | 'targets'>): CountedTarget[] {
  let from = 0;
  return headTargets(plan).flatMap((head) => {
    const at = from;
    from += targetWidth(head.target);
    return countedOf(head, at);
  });
}

function countedOf({ target, loss }: HeadTarget, at: number): CountedTarget[] {
  const { head } = target;
  switch (target.kind) {
    case 'classes':
      return target.classes.map(({ name }, k) => ({
        ...{ name: `class ${name} of head ${head}`, counts: (row) => row[at] === k },
      }));
    case 'numbers': {
      const isBinary = loss.type === 'binary-cross-entropy' || loss.type === 'focal';
      return target.columns.flatMap((column, c) => {
        const value = (row: ArrayLike<number>): number => row[at + c] ?? NaN;
        const name = `${column} of head ${head}`;
        if (!isBinary) return [{ name, counts: (row) => !Number.isNaN(value(row)) }];
        return [0, 1].map((answer) => ({
          ...{ name: `${name} = ${answer}`, counts: (row: ArrayLike<number>) => value(row) === answer },
        }));
      });
    }
    case 'track': {
      const any = (isWanted: (label: number) => boolean) => (row: ArrayLike<number>) =>
        Array.from({ length: target.length }, (_, base) => row[at + base] ?? NaN).some(isWanted);
      if (!target.classes) return [{ name: `track of head ${head}`, counts: any((x) => !Number.isNaN(x)) }];
      return target.classes.map((name, k) => ({
        ...{ name: `class ${name} of head ${head}`, counts: any((label) => label === k) },
      }));
    }
    case 'survival': {
      const time = (row: ArrayLike<number>): number => row[at] ?? NaN;
      const hasEvent = (row: ArrayLike<number>): boolean => row[at + 1] === 1;
      const edges = loss.type === 'discrete-time' ? loss.edges : [];
      return [
        { name: `times of head ${head}`, counts: (row) => !Number.isNaN(time(row)) },
        { name: `events of head ${head}`, counts: hasEvent },
        ...edges.map((edge, k): CountedTarget => {
          const after = edges[k - 1] ?? -Infinity;
          const counts = (row: ArrayLike<number>): boolean =>
            hasEvent(row) && time(row) > after && time(row) <= edge;
          return { name: `events until ${edge} of head ${head}`, counts, isWhole: true };
        }),
      ];
    }
  }
}
