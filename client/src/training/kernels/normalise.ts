import type { LayerKernels, Sized } from './layer-kernels.js';

/** Groups over which statistics are taken: `width` channels beside each other at all positions of a unit. */
export interface Groups {
  readonly units: number;
  readonly positions: number;
  readonly groups: number;
  readonly width: number;
}

/** Arrays [units, positions, groups · width], unless said otherwise. */
export interface NormaliseArrays {
  readonly x: Float32Array;
  /** [groups · width] */
  readonly scale: Float32Array;
  /** [groups · width] */
  readonly shift: Float32Array;
  /** out */
  readonly y: Float32Array;
  /** out: mean and 1/deviation of each group, [units, groups, 2] */
  readonly stats: Float32Array;
}

/** What the way back reads and writes. */
export interface NormaliseBackArrays extends Pick<NormaliseArrays, 'x' | 'scale' | 'stats'> {
  readonly dy: Float32Array;
  /** out: dy ⊙ normal value; its column sums are the gradient by scale */
  readonly turned: Float32Array;
  /** out */
  readonly dx: Float32Array;
}

/** y = (x − mean)/√(variance + ε) · scale + shift; variance with 1/n, sums in float64. */
export function normalise(arrays: NormaliseArrays, g: Groups, epsilon: number, kernels?: LayerKernels): void {
  const { x, scale, shift, y, stats } = arrays;
  const { size, channels, sizes } = sizesOf(g);
  const sized: Sized[] = [
    [x, size],
    [scale, channels],
    [shift, channels],
    [y, size],
    [stats, 2 * g.units * g.groups],
  ];
  if (kernels?.run('normalise', g.width, sizes, sized, [epsilon])) return;
  everyGroup(g, (group, first, places) => {
    let [sum, squares] = [0, 0];
    places((at) => (sum += x[at]!));
    const mean = Math.fround(sum / (g.positions * g.width));
    places((at) => (squares += (x[at]! - mean) ** 2));
    const slope = Math.fround(1 / Math.sqrt(squares / (g.positions * g.width) + epsilon));
    stats[2 * group] = mean;
    stats[2 * group + 1] = slope;
    places((at, c) => (y[at] = (x[at]! - mean) * slope * scale[first + c]! + shift[first + c]!));
  });
}

/** Gradient of `normalise` by x, and what the gradient by scale is summed from. */
export function normaliseBackward(arrays: NormaliseBackArrays, g: Groups, kernels?: LayerKernels): void {
  const { x, scale, stats, dy, turned, dx } = arrays;
  const { size, channels, sizes } = sizesOf(g);
  const sized: Sized[] = [
    [x, size],
    [scale, channels],
    [stats, 2 * g.units * g.groups],
    [dy, size],
    [turned, size],
    [dx, size],
  ];
  if (kernels?.run('normalise_backward', g.width, sizes, sized)) return;
  const n = g.positions * g.width;
  everyGroup(g, (group, first, places) => {
    const [mean, slope] = [stats[2 * group]!, stats[2 * group + 1]!];
    let [sum, sumTurned] = [0, 0];
    places((at, c) => {
      turned[at] = dy[at]! * (x[at]! - mean) * slope;
      sum += dy[at]! * scale[first + c]!;
      sumTurned += turned[at] * scale[first + c]!;
    });
    places((at, c) => {
      const normal = (x[at]! - mean) * slope;
      dx[at] = slope * (dy[at]! * scale[first + c]! - sum / n - (normal * sumTurned) / n);
    });
  });
}

function sizesOf({ units, positions, groups, width }: Groups) {
  const channels = groups * width;
  return { channels, size: units * positions * channels, sizes: [units, positions, groups, width] };
}

/** Number of a group, its first channel, and a walk over its places: index, and channel within the group. */
type Use = (
  group: number,
  first: number,
  places: (use: (at: number, channel: number) => void) => void,
) => void;

function everyGroup({ units, positions, groups, width }: Groups, use: Use): void {
  const channels = groups * width;
  for (let group = 0; group < units * groups; group++) {
    const first = (group % groups) * width;
    const from = Math.floor(group / groups) * positions * channels + first;
    use(group, first, (visit) => {
      for (let p = 0; p < positions; p++) {
        for (let c = 0; c < width; c++) visit(from + p * channels + c, c);
      }
    });
  }
}
