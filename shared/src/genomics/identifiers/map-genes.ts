import { type Damage, damageOf, serialDamage, symbolsBehind } from './spreadsheet-damage.js';
import type { GeneRecord, GeneTable, IdentifierKind } from './gene-table.js';

/** How a name was understood, the surest way first. */
const WAYS = ['symbol', 'ensembl', 'entrez', 'previous', 'alias', 'date'] as const;
export type Way = (typeof WAYS)[number];

/** Names of a file in the words of a gene table. */
export interface MappedGenes {
  /** identifier of each name, null where it has none */
  readonly identifiers: readonly (string | null)[];
  /** how many names were understood, and how */
  readonly ways: Readonly<Partial<Record<Way, number>>>;
  /** positions of names that the table does not have (or not with an identifier of the wanted kind) */
  readonly unknown: readonly number[];
  /** positions of names that several genes have */
  readonly ambiguous: readonly number[];
  /** positions of names that a spreadsheet damaged beyond repair */
  readonly damaged: readonly number[];
  /** positions of further names of a gene that is there by a surer name */
  readonly surplus: readonly number[];
  /** two equally sure names of one gene that has no surer one */
  readonly clash: readonly [number, number] | null;
}

type Match = { readonly gene: GeneRecord; readonly way: Way } | 'unknown' | 'ambiguous' | 'damaged';

/**
 * Translate names into one kind of identifier.
 *
 * Approved symbols come before previous ones, these before aliases; a name that several genes have is not translated.
 * A date is repaired when exactly one gene of the table can have become it and no other name of the file is that gene.
 *
 * @param kind what the panel is written in
 */
export function mapGenes(table: GeneTable, names: readonly string[], kind: IdentifierKind): MappedGenes {
  const lookup = new GeneLookup(table);
  const amongSymbols = 2 * names.filter((name) => /^[A-Za-z]/.test(name)).length > names.length;
  const matches = names.map((name) => lookup.find(name, amongSymbols));
  const best = new Map<GeneRecord, number>();
  const places: Record<'unknown' | 'ambiguous' | 'damaged' | 'surplus', number[]> = {
    ...{ unknown: [], ambiguous: [], damaged: [], surplus: [] },
  };
  const tied = new Map<GeneRecord, number>();
  matches.forEach((match, i) => {
    if (typeof match === 'string') return void places[match].push(i);
    if (match.gene[kind] === '') return void places.unknown.push(i);
    const before = best.get(match.gene);
    if (before === undefined) return void best.set(match.gene, i);
    const order = rank(match) - rank(matches[before]);
    if (order === 0 && !tied.has(match.gene)) tied.set(match.gene, i);
    // a date that is a gene of the file already may be another gene as well
    const loser = order < 0 ? before : i;
    if (order < 0) {
      best.set(match.gene, i);
      tied.delete(match.gene);
    }
    (isDate(matches[loser]) ? places.damaged : places.surplus).push(loser);
  });
  const identifiers: (string | null)[] = names.map(() => null);
  const ways: Partial<Record<Way, number>> = {};
  for (const [gene, i] of best) {
    identifiers[i] = gene[kind];
    const match = matches[i];
    if (typeof match === 'object') ways[match.way] = (ways[match.way] ?? 0) + 1;
  }
  const [tie] = tied;
  return { identifiers, ways, ...places, clash: tie ? [best.get(tie[0]) ?? tie[1], tie[1]] : null };
}

const rank = (match: Match | undefined): number =>
  typeof match === 'object' ? WAYS.indexOf(match.way) : WAYS.length;
const isDate = (match: Match | undefined): boolean => typeof match === 'object' && match.way === 'date';

/** Finds genes by any of their names. */
class GeneLookup {
  private readonly indexes: readonly (readonly [Way, Index])[];

  constructor({ genes }: GeneTable) {
    this.indexes = [
      ['symbol', indexOf(genes, ({ symbol }) => [symbol])],
      ['ensembl', indexOf(genes, ({ ensembl }) => [ensembl])],
      ['entrez', indexOf(genes, ({ entrez }) => [entrez])],
      ['previous', indexOf(genes, ({ previous }) => previous)],
      ['alias', indexOf(genes, ({ aliases }) => aliases)],
    ];
  }

  find(name: string, amongSymbols: boolean): Match {
    const damage = damageOf(name) ?? (amongSymbols ? serialDamage(name) : null);
    const known = this.byName(name);
    if (!damage) return known;
    const mended = this.repaired(damage);
    if (mended === 'unknown') return damageOf(name) ? 'damaged' : known;
    // a number of days may be an Entrez number as well: nobody can tell
    return known === 'unknown' ? mended : 'damaged';
  }

  private byName(name: string): Match {
    const plain = name.replace(/^Entrezid:/i, '').replace(/^(ENS[A-Z]*G\d{11})\.\d+$/, '$1');
    for (const [way, index] of this.indexes) {
      const found = index.get(plain);
      if (found) return found.length === 1 && found[0] ? { gene: found[0], way } : 'ambiguous';
    }
    return 'unknown';
  }

  /** The only gene of any of the names that can have become this damage; `unknown` when there is none. */
  private repaired(damage: Damage): Match {
    const genes = new Set<GeneRecord>();
    for (const symbol of symbolsBehind(damage)) {
      for (const [, index] of this.indexes) for (const gene of index.get(symbol) ?? []) genes.add(gene);
    }
    const [gene] = genes;
    if (!gene) return 'unknown';
    return genes.size === 1 ? { gene, way: 'date' } : 'damaged';
  }
}

/** Genes by a name as written and in capitals (C1ORF112 for C1orf112; never the other way: Sept2 is a gene of mice). */
type Index = ReadonlyMap<string, readonly GeneRecord[]>;

function indexOf(genes: readonly GeneRecord[], namesOf: (gene: GeneRecord) => readonly string[]): Index {
  const index = new Map<string, GeneRecord[]>();
  const add = (name: string, gene: GeneRecord): void => {
    const found = index.get(name);
    if (!found) index.set(name, [gene]);
    else if (!found.includes(gene)) found.push(gene);
  };
  for (const gene of genes) for (const name of namesOf(gene)) if (name !== '') add(name, gene);
  const exact = new Set(index.keys());
  for (const gene of genes) {
    for (const name of namesOf(gene)) {
      const capitals = name.toUpperCase();
      if (!exact.has(capitals)) add(capitals, gene);
    }
  }
  return index;
}
