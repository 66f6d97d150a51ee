/** What a spreadsheet made of a gene's name. */
export interface Damage {
  readonly kind: 'date' | 'number';
  /** readings of a date, month 1 … 12 and the number that stood behind the letters; none of a number */
  readonly readings: readonly { readonly month: number; readonly number: number }[];
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const MONTH = `${MONTHS.join('|')}|Sept`;
// capital months only: `sep-1` is a worm gene, `Sep-01` is a spreadsheet's
const DAY_FIRST = new RegExp(`^(\\d{1,2})-(${MONTH})$`);
const MONTH_FIRST = new RegExp(`^(${MONTH})-(\\d{1,2})$`);
const ISO = /^\d{4}-(\d\d)-(\d\d)([ T]\d\d:\d\d(:\d\d)?)?$/;
const SLASHES = /^(\d{1,2})([/.])(\d{1,2})\2\d{2,4}$/;
/** `2310009E13` as a spreadsheet shows it. */
const POWER = /^\d(\.\d+)?E\+\d{2}$/;

/** 2000-01-01 and 2049-12-31 as spreadsheets count days: when gene lists were saved. */
const FIRST_SERIAL = 36_526;
const LAST_SERIAL = 54_788;
const DAY_MS = 86_400_000;

/** Names that became dates of these months. */
const LETTERS: readonly (readonly string[])[] = [
  ...[['JAN'], ['FEB'], ['MARCH', 'MARC', 'MAR'], ['APR'], ['MAY'], ['JUN']],
  ...[['JUL'], ['AUG'], ['SEPT', 'SEP'], ['OCT'], ['NOV'], ['DEC']],
];

/** The damage that a name shows, or null; a number of five digits is none by itself, see {@link serialDamage}. */
export function damageOf(name: string): Damage | null {
  if (POWER.test(name)) return { kind: 'number', readings: [] };
  const [day, iso, slashes] = [DAY_FIRST.exec(name), ISO.exec(name), SLASHES.exec(name)];
  if (day) return date([monthOf(day[2]), Number(day[1])]);
  const month = MONTH_FIRST.exec(name);
  if (month) return date([monthOf(month[1]), Number(month[2])]);
  if (iso) return date([Number(iso[1]), Number(iso[2])]);
  if (!slashes) return null;
  const [a, b] = [Number(slashes[1]), Number(slashes[3])];
  return date([a, b], [b, a]);
}

/** A number of days as spreadsheets keep a date: only among symbols does it stand for one. */
export function serialDamage(name: string): Damage | null {
  if (!/^\d{5}$/.test(name)) return null;
  const serial = Number(name);
  if (serial < FIRST_SERIAL || serial > LAST_SERIAL) return null;
  const day = new Date(Date.UTC(1899, 11, 30) + serial * DAY_MS);
  return date([day.getUTCMonth() + 1, day.getUTCDate()]);
}

/** Symbols that may have become this damage, e.g. MARCH1, MARC1 and MAR1. */
export function symbolsBehind({ readings }: Damage): string[] {
  return readings.flatMap(({ month, number }) =>
    (LETTERS[month - 1] ?? []).map((letters) => `${letters}${number}`),
  );
}

const monthOf = (text = ''): number => MONTHS.indexOf(text.slice(0, 3)) + 1;

function date(...readings: readonly (readonly [number, number])[]): Damage {
  const possible = readings.filter(([month, number], i) => {
    const again = readings.findIndex(([m, n]) => m === month && n === number) < i;
    return month >= 1 && month <= 12 && number >= 1 && number <= 31 && !again;
  });
  return { kind: 'date', readings: possible.map(([month, number]) => ({ month, number })) };
}
