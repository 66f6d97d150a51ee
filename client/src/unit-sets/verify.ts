import { RegulonError } from '@regulon/shared/errors';
import { UNIT_BYTES, type UnitSets } from './unit-sets.js';

/** Sums over sets that differ by fewer patients than this subtract to these patients. */
const FEWEST = 5;

/** A unit of either of two runs: its position in each, or −1. */
interface Joined {
  readonly own: number;
  readonly earlier: number;
  /** both runs have it, with other values */
  readonly isChanged: boolean;
  readonly patient: string;
}

/** Token of a unit by position: 0 = not in the set. */
type Tokens = (at: number) => number;

/**
 * The rule of unit sets: no exact sum over units that differ by 1 to 4 patients from those behind an earlier one, be it
 * by a new version of the dataset, by changed values, by classes, by covariates or by folds.
 *
 * @param earlier of runs that this site has answered in
 * @throws E_POLICY naming the kind of set, never a number
 * @see docs/protocol.md, Unit sets
 */
export function verifyUnitSets(own: UnitSets, earlier: readonly UnitSets[]): void {
  for (const other of earlier) {
    const found = tooClose(own, other);
    if (found === undefined) continue;
    throw new RegulonError(
      'E_POLICY',
      `the units of this plan (${found}) differ by fewer than ${FEWEST} patients from those behind an earlier sum of this site`,
      {
        hint: `wait until ${FEWEST} or more patients have been added to the dataset and to each class and fold, or take the classes and covariates of the earlier plan`,
      },
    );
  }
}

/** The kind of set in which two runs differ by too little. */
function tooClose(own: UnitSets, earlier: UnitSets): string | undefined {
  const joined = join(own, earlier);
  if (isFew(joined, everyone, everyone)) return 'all units';
  const shared = own.heldOut.filter((fold) => earlier.heldOut.includes(fold));
  for (const fold of shared) {
    for (const isTest of [true, false])
      if (isFew(joined, inFold(own, fold, isTest), inFold(earlier, fold, isTest))) return 'folds';
  }
  const parts: [Tokens, Tokens][] = [
    [everyone, everyone],
    ...shared.map((fold): [Tokens, Tokens] => [inFold(own, fold, false), inFold(earlier, fold, false)]),
  ];
  const isClose = ([a, b]: [Tokens, Tokens]): boolean =>
    hasCloseLevels(joined, levelsOf(own, a), levelsOf(earlier, b));
  return parts.some(isClose) ? 'a class or covariate' : undefined;
}

/**
 * Whether a class or covariate that was not summed before overlaps with an earlier one and differs from it in 1 to 4
 * patients, unless these are a class or covariate themselves, which has its own minimum.
 */
function hasCloseLevels(
  joined: readonly Joined[],
  own: readonly Tokens[],
  earlier: readonly Tokens[],
): boolean {
  const fresh = own.filter((a) => !earlier.some((b) => isSame(joined, a, b)));
  const overlap = (a: Tokens, b: Tokens): boolean =>
    joined.some((unit) => {
      const token = tokenAt(a, unit.own);
      return token !== 0 && token === tokenAt(b, unit.earlier);
    });
  const isLevel = (a: Tokens, b: Tokens): boolean => {
    const isDifference = (level: Tokens, side: 'own' | 'earlier'): boolean =>
      joined.every((unit) => {
        const differs = tokenAt(a, unit.own) !== tokenAt(b, unit.earlier);
        return differs === (tokenAt(level, unit[side]) !== 0);
      });
    return own.some((l) => isDifference(l, 'own')) || earlier.some((l) => isDifference(l, 'earlier'));
  };
  return fresh.some((a) => earlier.some((b) => overlap(a, b) && isFew(joined, a, b) && !isLevel(a, b)));
}

const everyone: Tokens = () => 1;

const inFold =
  ({ folds }: UnitSets, fold: number, isTest: boolean): Tokens =>
  (at) =>
    (folds[at] === fold) === isTest ? 1 : 0;

function levelsOf({ units, levels }: UnitSets, part: Tokens): Tokens[] {
  const n = units.length / UNIT_BYTES;
  return Array.from({ length: n === 0 ? 0 : levels.length / n }, (_, level): Tokens => {
    return (at) => (part(at) === 0 ? 0 : (levels[level * n + at] ?? 0));
  });
}

const tokenAt = (tokens: Tokens, at: number): number => (at < 0 ? 0 : tokens(at));

const isSame = (joined: readonly Joined[], a: Tokens, b: Tokens): boolean =>
  joined.every(({ own, earlier, isChanged }) => {
    const [one, other] = [tokenAt(a, own), tokenAt(b, earlier)];
    return one === other && !(isChanged && one !== 0);
  });

/** Whether 1 to 4 patients are in one set only, or 1 to 4 with those whose values changed. */
function isFew(joined: readonly Joined[], a: Tokens, b: Tokens): boolean {
  const moved = new Set<string>();
  const touched = new Set<string>();
  for (const { own, earlier, isChanged, patient } of joined) {
    const [one, other] = [tokenAt(a, own), tokenAt(b, earlier)];
    if (one !== other) moved.add(patient);
    if (one !== other || (isChanged && one !== 0)) touched.add(patient);
    if (moved.size >= FEWEST) return false;
  }
  return [moved, touched].some(({ size }) => size > 0 && size < FEWEST);
}

/** The units of two runs by their ids, in one list. */
function join(own: UnitSets, earlier: UnitSets): Joined[] {
  const a = piecesOf(own);
  const b = piecesOf(earlier);
  const places = new Map(b.map(({ id }, at) => [id, at]));
  const pairs = a.map(({ id }, at) => ({ own: at, earlier: places.get(id) ?? -1 }));
  // a patient of both runs may bear another number in the earlier one
  const renumbered = new Map<string, string>();
  for (const pair of pairs) {
    const before = b[pair.earlier];
    if (before) renumbered.set(before.patient, a[pair.own]?.patient ?? before.patient);
  }
  const joined = pairs.map((pair): Joined => {
    const [now, before] = [a[pair.own], b[pair.earlier]];
    const isChanged = before !== undefined && before.values !== now?.values;
    return { ...pair, isChanged, patient: now?.patient ?? '' };
  });
  const known = new Set(a.map(({ id }) => id));
  b.forEach(({ id, patient }, at) => {
    if (known.has(id)) return;
    joined.push({
      own: -1,
      earlier: at,
      isChanged: false,
      patient: renumbered.get(patient) ?? `left/${patient}`,
    });
  });
  return joined;
}

function piecesOf({ units }: UnitSets): { id: string; values: string; patient: string }[] {
  return Array.from({ length: units.length / UNIT_BYTES }, (_, at) => {
    const text = Buffer.from(units.subarray(at * UNIT_BYTES, (at + 1) * UNIT_BYTES)).toString('hex');
    return { id: text.slice(0, 32), values: text.slice(32, 64), patient: text.slice(64) };
  });
}
