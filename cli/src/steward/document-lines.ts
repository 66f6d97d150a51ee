import { shown } from '../enrolment/index.js';

type Leaf = string | number | boolean | null;
/** A document as JSON has it. */
type Json = Leaf | readonly Json[] | { readonly [key: string]: Json };
type Fields = Readonly<Record<string, Json>>;

/**
 * How fields read, by their path: `privacy.epsilon`, also of every item of an array. In a sentence `{}` stands for the
 * value, `{num}` for a field of it; a word without either stands before the value. A field without words is called by
 * its own name.
 */
export type Words = Readonly<Record<string, string>>;

/**
 * A signed document for people: every field of it in a line, in its order. Nothing is left out, known or not.
 *
 * @param document read back from the bytes that are signed
 * @returns lines without line ends
 */
export function documentLines(document: unknown, words: Words = {}): string[] {
  return fieldLines(document as Fields, '', words);
}

const isLeaf = (value: Json): value is Leaf => value === null || typeof value !== 'object';
const isList = (value: Json): value is readonly Json[] => Array.isArray(value);
const indented = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`);
const below = (path: string, key: string): string => (path === '' ? key : `${path}.${key}`);

/** Whether a value fits into a line: no list of documents in it. */
const isShort = (value: Json): boolean =>
  isLeaf(value) || (isList(value) ? value.every(isLeaf) : Object.values(value).every(isShort));

const fieldLines = (fields: Fields, path: string, words: Words): string[] =>
  Object.entries(fields).flatMap(([key, value]) => valueLines(below(path, key), key, value, words));

function valueLines(path: string, key: string, value: Json, words: Words): string[] {
  if (isLeaf(value) || (isList(value) && value.every(isLeaf)))
    return [sentence(path, key, textOf(value), words)];
  const label = `${words[path] ?? nameOf(key)}:`;
  if (isList(value)) return [label, ...indented(value.flatMap((item) => itemLines(item, path, words)))];
  const fields = value as Fields;
  const said = words[path];
  if (said === undefined || !said.includes('{')) return [label, ...indented(fieldLines(fields, path, words))];
  const named = Object.keys(fields).filter((one) => said.includes(`{${one}}`));
  const line = named.reduce((text, one) => text.replace(`{${one}}`, textOf(fields[one] ?? null)), said);
  const rest = Object.fromEntries(Object.entries(fields).filter(([one]) => !named.includes(one)));
  return [line, ...indented(fieldLines(rest, path, words))];
}

function itemLines(item: Json, path: string, words: Words): string[] {
  if (isShort(item)) return [`- ${textOf(item)}`];
  if (isList(item)) return ['-', ...indented(item.flatMap((one) => itemLines(one, path, words)))];
  const entries = Object.entries(item as Fields);
  const short = Object.fromEntries(entries.filter(([, value]) => isShort(value)));
  const long = Object.fromEntries(entries.filter(([, value]) => !isShort(value)));
  return [`- ${textOf(short)}`, ...indented(fieldLines(long, path, words))];
}

function sentence(path: string, key: string, text: string, words: Words): string {
  const said = words[path] ?? nameOf(key);
  return said.includes('{}') ? said.replace('{}', () => text) : `${said}: ${text}`;
}

/** A value in a line. */
function textOf(value: Json): string {
  if (value === null) return 'none';
  if (typeof value === 'string') return shown(value);
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'number') return Number.isInteger(value) ? value.toLocaleString('en') : String(value);
  if (isList(value)) return value.map(textOf).join(', ') || 'none';
  const parts = Object.entries(value as Fields).map(
    ([key, field]) => `${nameOf(key)} ${isLeaf(field) ? textOf(field) : `(${textOf(field)})`}`,
  );
  return parts.join(', ') || 'none';
}

/** `kernelSize` reads `kernel size`. */
const nameOf = (key: string): string =>
  shown(key).replace(/(?<=[a-z0-9])[A-Z]/g, (one) => ` ${one.toLowerCase()}`);
