import { RegulonError } from '@regulon/shared/errors';
import type { Cell } from '@regulon/shared/genomics';

/** Names of columns that identify persons. */
const TELLING =
  /(^|[^a-z])(dob|mrn|ssn|nhs|surname|firstname|lastname|e-?mail|phone|address|zip|postcode|passport)([^a-z]|$)|birth|(patient|person|full|first|last)[ _.-]?name/i;
const DATE = /^(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4})([ T]|$)/;
const PERSON = /^\p{Lu}\p{Ll}+(-\p{Lu}\p{Ll}+)?,? (\p{Lu}\.? )?\p{Lu}\p{Ll}+$/u;
const RECORD = /^\d{6,12}(\.0+)?$/;
/** Fewer values tell nothing. */
const ENOUGH = 4;

/** Columns that name the patient of a unit. */
const PATIENT = /^(patient|donor|subject|individual|participant|person|case)([ _.-]?(id|code|number|no))?$/i;

/**
 * The rule that a column of annotations breaks, or null: what may identify a person does not enter a dataset.
 *
 * @param name of the column; null for the names of the units
 */
export function identifyingRule(name: string | null, cells: readonly Cell[]): string | null {
  if (name !== null && TELLING.test(name)) return 'the name of the column says that it identifies persons';
  const words = cells.filter((cell) => cell !== null).map(String);
  if (words.length < ENOUGH) return null;
  const share = (pattern: RegExp): number => words.filter((word) => pattern.test(word)).length / words.length;
  const distinct = new Set(words).size / words.length;
  if (share(DATE) > 0.5 && distinct > 0.3) return 'the values look like dates';
  if (share(PERSON) > 0.5 && distinct > 0.5) return 'the values look like names of persons';
  return share(RECORD) > 0.8 && distinct > 0.9 ? 'the values look like record numbers' : null;
}

/** @throws E_DATA_IDENTIFIER naming file, column and rule, never a value */
export function verifyHarmless(file: string, name: string | null, cells: readonly Cell[]): void {
  const rule = identifyingRule(name, cells);
  if (!rule) return;
  const where = name === null ? 'the names of the units' : `column ${name}`;
  throw new RegulonError('E_DATA_IDENTIFIER', `${file}: ${where}: ${rule}`);
}

/**
 * Several units of one patient need to be known as such: the patient is what privacy protects.
 *
 * @param asked column that names the patients; `none` says that every unit is a patient of its own
 * @throws E_ARGUMENT when an annotation looks like the patient, repeats, and nothing was asked for
 */
export function verifyPatients(
  file: string,
  table: ReadonlyMap<string, readonly Cell[]>,
  asked: string | undefined,
): void {
  if (asked !== undefined) return;
  for (const [name, cells] of table) {
    if (!PATIENT.test(name)) continue;
    const known = cells.filter((cell) => cell !== null);
    if (new Set(known).size === known.length) continue;
    throw new RegulonError('E_ARGUMENT', `${file}: column ${name} names some patients more than once`, {
      hint: `repeat it with --patient "${name}", or --patient none when every unit is a patient of its own`,
    });
  }
}

/** Patients as numbers in the order of their first unit: the names are not needed any more. @throws E_DATA_FORMAT */
export function patientNumbers(file: string, column: string, cells: readonly Cell[]): number[] {
  const numbers = new Map<Cell, number>();
  return cells.map((cell, unit) => {
    if (cell === null)
      throw new RegulonError('E_DATA_FORMAT', `${file}: unit ${unit + 1}, column ${column}: no patient`);
    const number = numbers.get(cell) ?? numbers.size + 1;
    numbers.set(cell, number);
    return number;
  });
}
