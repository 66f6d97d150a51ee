import { canonicalJson } from '@regulon/shared/crypto';
import type { Dice } from '../../security/support/dice.js';

type Json = unknown;
interface Place {
  readonly parent: Record<string, Json> | Json[];
  readonly key: string | number;
}

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Change a JSON document: members are lost, repeated, renamed, retyped; values go to limits. */
export function changeJson(input: Uint8Array, dice: Dice): Uint8Array {
  const value = valueOf(input);
  return value === undefined ? input : encode(JSON.stringify(changeValue(value, dice)));
}

/** As `changeJson`, in the canonical form; as it is where that form does not exist. */
export function changeCanonical(input: Uint8Array, dice: Dice): Uint8Array {
  const value = valueOf(input);
  if (value === undefined) return input;
  const changed = changeValue(value, dice);
  try {
    return encode(canonicalJson(changed));
  } catch {
    return encode(JSON.stringify(changed));
  }
}

/** A changed copy of a JSON value. */
export function changeValue(value: Json, dice: Dice): Json {
  const root = { value: structuredClone(value) };
  for (let count = 1 + dice.below(3); count > 0; count--) changeOne(root, dice);
  return root.value ?? null;
}

function changeOne(root: { value: Json }, dice: Dice): void {
  const places: Place[] = [{ parent: root, key: 'value' }];
  collect(root.value, places);
  const { parent, key } = dice.pick(places);
  const members = parent as Record<string, Json>;
  const old = structuredClone(members[key]);
  switch (dice.below(8)) {
    case 0:
      if (Array.isArray(parent)) parent.splice(Number(key), 1);
      else if (parent !== root) delete members[key];
      return;
    case 1:
      if (Array.isArray(parent))
        parent.splice(
          Number(key),
          0,
          ...Array.from({ length: 1 + dice.below(4) }, () => structuredClone(old)),
        );
      else members[dice.pick(['__proto__ ', 'constructor', 'toString', '', 'x', `${key}x`])] = old;
      return;
    case 2: {
      const other = dice.pick(places);
      members[key] = structuredClone((other.parent as Record<string, Json>)[other.key]) ?? null;
      return;
    }
    case 3:
      members[key] = special(dice);
      return;
    default:
      members[key] =
        typeof old === 'string'
          ? changeText(old, dice)
          : typeof old === 'number'
            ? number(dice)
            : special(dice);
  }
}

function collect(value: Json, places: Place[]): void {
  if (typeof value !== 'object' || value === null || places.length > 5_000) return;
  const parent = value as Record<string, Json>;
  for (const key of Object.keys(parent)) {
    places.push({ parent, key: Array.isArray(value) ? Number(key) : key });
    collect(parent[key], places);
  }
}

const NUMBERS: readonly number[] = [
  ...[0, -0, -1, 1, 2, 255, 256, 65_535, 65_536, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1, 2 ** 53],
  ...[0.5, 1e-300, 1e21, 1e308, 8.64e15, 8.64e15 + 1, -8.64e15 - 1],
];
const OBJECTS: readonly Json[] = [
  ...[[null], [[]], { toString: 1 }, [{ toString: null }], { digest: 'x', size: 1, mediaType: 'y' }],
];
const number = (dice: Dice): number => dice.pick(NUMBERS);

function special(dice: Dice): Json {
  switch (dice.below(9)) {
    case 0:
      return null;
    case 1:
      return dice.chance(2);
    case 2:
      return number(dice);
    case 3:
      return dice.pick([
        '',
        'x',
        '\ud800',
        'e\u0301',
        '\u0000',
        '__proto__',
        '-0',
        'NaN',
        'sha256:',
        '=',
        'ＡＢ',
      ]);
    case 4:
      return [];
    case 5:
      return {};
    case 6:
      return 'a'.repeat(dice.pick([63, 64, 65, 255, 256, 257, 2001, 20_000]));
    case 7:
      return nested(dice.pick([3, 60, 199, 201, 500]));
    default:
      return structuredClone(dice.pick(OBJECTS));
  }
}

function nested(depth: number): Json {
  let value: Json = 1;
  for (let i = 0; i < depth; i++) value = i % 2 === 0 ? [value] : { a: value };
  return value;
}

function changeText(text: string, dice: Dice): string {
  const at = dice.below(text.length + 1);
  switch (dice.below(5)) {
    case 0:
      return text.slice(0, at);
    case 1:
      return (
        text.slice(0, at) +
        dice.pick(['\n', ' ', '"', '\\', '\u0007', '+', '/', ':', '\ufeff', '0']) +
        text.slice(at)
      );
    case 2:
      return text.replace(/\d/, (digit) => String((Number(digit) + 1) % 10));
    case 3:
      return text.repeat(2).slice(0, 5_000);
    default:
      return dice.chance(2) ? text.toUpperCase() : text.slice(at);
  }
}

/** The value of an input; undefined where it is no JSON, or nested deeper than can be copied several times over. */
function valueOf(input: Uint8Array): Json {
  try {
    const text = new TextDecoder().decode(input);
    return depthOf(text) > MAX_DEPTH ? undefined : (JSON.parse(text) as Json);
  } catch {
    return undefined;
  }
}

const MAX_DEPTH = 600;

function depthOf(text: string): number {
  let [depth, deepest] = [0, 0];
  for (const bracket of text.match(/[[\]{}]/g) ?? []) {
    depth += bracket === '[' || bracket === '{' ? 1 : -1;
    deepest = Math.max(deepest, depth);
  }
  return deepest;
}
