import { serialDamage } from '@regulon/shared/genomics';
import { geneNameFault } from '../gene-names.js';

/** Kinds of names, the narrow ones first; the first that fits counts. */
const FEATURES: readonly (readonly [string, RegExp])[] = [
  ['Ensembl gene', /^ENS[A-Z]*G\d{11}$/],
  ['Ensembl gene with version', /^ENS[A-Z]*G\d{11}\.\d+$/],
  ['Ensembl transcript', /^ENS[A-Z]*T\d{11}(\.\d+)?$/],
  ['Entrez number', /^Entrezid:\d+$/i],
  ['Affymetrix probe set', /_(at|st)$/],
  ['FlyBase gene', /^FBgn\d{7}$/],
  ['yeast ORF', /^Y[A-P][LR]\d{3}[CW](-[A-Z])?$/],
  // its common name may stand behind it
  ['HMDB metabolite', /^HMDB\d{5,7}(\|.+)?$/],
  ['RefSeq', /^[NX][MR]_\d+(\.\d+)?$/],
  ['locus tag', /^[A-Z]{2}\d{4}(\.\d)?$/],
  ['UniProt', /^([OPQ][0-9][A-Z0-9]{3}[0-9]|[A-NR-Z][0-9]([A-Z][A-Z0-9]{2}[0-9]){1,2})$/],
  ['array cell', /^(\d+,\d+|x\d+y\d+)$/],
  ['variant', /^(rs\d+|(chr)?[\dXYM]{1,2}[:_]\d+)/],
];
const UNITS: readonly RegExp[] = [
  /^[ACGT]{8,}(-\d+)?$/, // barcodes of cells
  /^(TCGA|GTEX)-/,
  /^(GSM|SRR|ERR|SAMN|SAMEA)\d+/,
  /^(sample|patient|cell|donor|subject|case|control|treated|untreated|p|s)[-_. ]?\d+$/i,
  /\.cel$/i,
];
const SYMBOL = /^[A-Za-z][A-Za-z0-9]*([-.@_][A-Za-z0-9]+)*$/;

const DATE = 'date of a spreadsheet';

/** Kind of one feature name. */
export function featureKind(name: string): string {
  const fault = geneNameFault(name);
  if (fault) return fault.includes('date') ? DATE : 'summary row';
  const known = FEATURES.find(([, pattern]) => pattern.test(name));
  if (known) return known[0];
  if (/^\d+$/.test(name)) return 'number';
  return SYMBOL.test(name) && name.length <= 20 ? 'symbol' : 'other';
}

/** Kinds whose form some symbols have too (C1ORF9 could be a UniProt number). */
const LOOKALIKES = ['UniProt', 'locus tag', 'variant'];

/** How many names are of each kind, the largest first; among symbols a name that could be one is one, and a number of days is a date. */
export function kindsOf(names: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) {
    const kind = featureKind(name);
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  const symbols = counts.get('symbol') ?? 0;
  const serials = names.filter((name) => serialDamage(name) !== null).length;
  if (symbols > (counts.get('number') ?? 0) && serials > 0) {
    counts.set(DATE, (counts.get(DATE) ?? 0) + serials);
    counts.set('number', (counts.get('number') ?? 0) - serials);
    if (counts.get('number') === 0) counts.delete('number');
  }
  for (const kind of LOOKALIKES) {
    const count = counts.get(kind) ?? 0;
    if (count === 0 || count >= symbols) continue;
    counts.set('symbol', (counts.get('symbol') ?? 0) + count);
    counts.delete(kind);
  }
  return new Map([...counts].sort((a, b) => b[1] - a[1]));
}

/** Share of names that only features have, and of names that only samples have, each 0 … 1. */
export function sharesOf(names: readonly string[]): { feature: number; unit: number } {
  let [feature, unit] = [0, 0];
  for (const name of names) {
    if (UNITS.some((pattern) => pattern.test(name))) unit++;
    else if (FEATURES.some(([, pattern]) => pattern.test(name)) || geneNameFault(name)) feature++;
  }
  const n = Math.max(1, names.length);
  return { feature: feature / n, unit: unit / n };
}
