import type { AttackReport } from '@regulon/shared/transparency';
import { type Axis, axesOf, COLOURS, DASHES, FRAME, label, type Picture, place } from './chart-frame.js';
import { numberText } from './html.js';

/** The lowest share that the axes show; shares below it, and none at all, lie on it. */
const LEAST = 1e-3;

/** An attack as a curve of members found (up) against others taken for members (across), shares in [0, 1]. */
export interface RocCurve {
  readonly name: string;
  /** by rising false positive rate */
  readonly points: readonly {
    readonly falsePositives: number;
    readonly found: number;
    readonly error?: number;
    /** what no attack exceeds; null where the run claims no privacy */
    readonly bound: number | null;
  }[];
}

/**
 * ROC of membership tests, both axes logarithmic: what counts is the share found at few false positives (Carlini et al. 2022).
 *
 * Dotted: guessing. Dashed in the same colour: the bound of the (ε, δ).
 */
export function rocFigure(title: string, curves: readonly RocCurve[]): Picture {
  const [x, y] = [
    logAxis(FRAME.left, FRAME.width - FRAME.right),
    logAxis(FRAME.height - FRAME.bottom, FRAME.top),
  ];
  const path = (points: readonly (readonly [number, number])[], style: string): string =>
    `<polyline class="line" points="${points.map(([a, b]) => `${place(x.at(a))},${place(y.at(b))}`).join(' ')}" ${style}/>`;
  const drawn = curves.map(({ points }, i) => {
    const colour = `stroke="${COLOURS[i % COLOURS.length]}"`;
    const found = points.map((p) => [p.falsePositives, p.found] as const);
    const bounds = points.flatMap((p) => (p.bound === null ? [] : [[p.falsePositives, p.bound] as const]));
    const dots = found.map(
      ([a, b]) =>
        `<circle cx="${place(x.at(a))}" cy="${place(y.at(b))}" r="2.5" fill="${COLOURS[i % COLOURS.length]}"/>`,
    );
    const bound = bounds.length > 0 ? path(bounds, `${colour} stroke-dasharray="${DASHES[1]}"`) : '';
    return path(found, `${colour} stroke-dasharray="none"`) + dots.join('') + bound;
  });
  const guess = path(
    [
      [LEAST, LEAST],
      [1, 1],
    ],
    'stroke="#777" stroke-dasharray="2 4"',
  );
  // below the diagonal, where no attack better than guessing comes
  const [right, foot] = [FRAME.width - FRAME.right - 8, FRAME.height - FRAME.bottom - 8];
  const legend = curves.map(({ name }, i) => label(right, foot - 15 * (curves.length - 1 - i), name, 'end'));
  const names = ['others taken for members', 'members found'] as const;
  return {
    ...{ title, words: wordsOf(curves) },
    inner: axesOf(x, y, names) + guess + drawn.join('') + legend.join(''),
    numbers: {
      titles: ['attack', ...names, '±', 'bound'],
      rows: curves.flatMap(({ name, points }) =>
        points.map((p) => [
          ...[name, numberText(p.falsePositives), numberText(p.found)],
          ...[p.error === undefined ? '' : numberText(p.error)],
          ...[p.bound === null ? 'none' : numberText(p.bound)],
        ]),
      ),
    },
  };
}

/** The curves of an attack report. */
export function curvesOf({ site, attacks }: Pick<AttackReport, 'site' | 'attacks'>): RocCurve[] {
  return attacks.map(({ attack, curve }) => ({
    name: `${attack} at ${site}`,
    points: curve.map(({ falsePositives, found, error, bound }) => ({
      ...{ falsePositives: Number(falsePositives), found: Number(found), error: Number(error) },
      bound: bound === null ? null : Number(bound),
    })),
  }));
}

function wordsOf(curves: readonly RocCurve[]): string {
  const said = curves.map(({ name, points }) => {
    const at = points.find(({ falsePositives }) => falsePositives === 0.01) ?? points[0];
    if (!at) return `${name}: nothing was measured`;
    const most = at.bound === null ? 'bounded by nothing' : `bound ${numberText(at.bound)}`;
    return `${name} finds ${numberText(at.found)} of the members at ${at.falsePositives} of the others (${most})`;
  });
  return `${said.join('; ')}. Both axes are logarithmic; shares below ${LEAST} lie on the axis. Dotted: guessing. Dashed: bounds.`;
}

function logAxis(from: number, to: number): Axis {
  const [low, high] = [Math.log10(LEAST), 0];
  const at = (value: number): number =>
    from + ((to - from) * (Math.log10(Math.max(LEAST, Math.min(1, value))) - low)) / (high - low);
  return { low: LEAST, high: 1, ticks: [1e-3, 1e-2, 1e-1, 1], at };
}

/** What the membership tests of a report reach, as one picture. @param note behind the title */
export function membershipPicture(report: AttackReport, note = ''): Picture {
  const { site, members, others } = report;
  return rocFigure(
    `Membership tests at ${site}, ${members} members against ${others} others${note}`,
    curvesOf(report),
  );
}
