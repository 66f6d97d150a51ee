import { basename } from 'node:path';
import { RegulonError } from '@regulon/shared/errors';
import {
  identifiersText,
  type IdentifierKind,
  mapGenes,
  type MappedGenes,
  type PanelIdentifiers,
  parsePanelFile,
} from '@regulon/shared/genomics';
import { geneTableAt, textOf } from './gene-lists.js';
import { geneNameFault, rowFault } from './gene-names.js';

/** How the names of a file become a panel. */
export interface GeneOptions {
  /** file of a gene table: names are translated with it */
  readonly geneTable?: string;
  /** what they are translated into; default `symbol` */
  readonly genes?: IdentifierKind;
  /** leave out names that have no translation, instead of refusing the file */
  readonly dropUnmapped?: boolean;
  /** file of a common panel: its genes in its order */
  readonly panel?: string;
  /** genes of the panel that the file lacks are missing, instead of refusing the file */
  readonly maskAbsent?: boolean;
}

/** The panel of a store. */
export interface GeneAxis {
  readonly names: readonly string[];
  /** place of each gene among the names of the file, −1 where it is absent; undefined: as the file has them */
  readonly rows: readonly number[] | undefined;
  readonly identifiers: PanelIdentifiers | undefined;
}

/** How many names a gene table understands. */
export interface GeneMapping extends Pick<MappedGenes, 'ways'> {
  readonly source: string;
  readonly release: string;
  readonly unknown: number;
  readonly ambiguous: number;
  readonly damaged: number;
  readonly surplus: number;
}

/**
 * The panel of a file: its own names, or those of a gene table, in its own order or in that of a common panel.
 *
 * @throws E_DATA_FORMAT, E_DATA_DUPLICATE, E_PANEL naming file, place and rule
 */
export function geneAxisOf(file: string, names: readonly string[], options: GeneOptions): GeneAxis {
  const rule = options.geneTable === undefined ? geneNameFault : rowFault;
  names.forEach((name, i) => {
    const broken = rule(name) ?? rowFault(name);
    if (broken)
      throw new RegulonError('E_DATA_FORMAT', `${file}: gene ${i + 1}: ${broken}`, { hint: damageHint });
  });
  const own = options.geneTable === undefined ? asWritten(names) : translated(file, names, options);
  return options.panel === undefined ? own : inPanel(file, own, options.panel, options.maskAbsent === true);
}

const damageHint = 'correct the name; --gene-table repairs dates that can only have been one gene';

/** What a gene table makes of names; null without one. */
export function mappingOf(
  names: readonly string[],
  { geneTable, genes = 'symbol' }: GeneOptions,
): GeneMapping | null {
  if (geneTable === undefined) return null;
  const { source, release, ...table } = geneTableAt(geneTable);
  const { ways, unknown, ambiguous, damaged, surplus } = mapGenes(
    { source, release, ...table },
    names,
    genes,
  );
  return {
    ...{ source, release, ways, unknown: unknown.length, ambiguous: ambiguous.length },
    ...{ damaged: damaged.length, surplus: surplus.length },
  };
}

const asWritten = (names: readonly string[]): GeneAxis => ({
  names,
  rows: undefined,
  identifiers: undefined,
});

function translated(file: string, names: readonly string[], options: GeneOptions): GeneAxis {
  const { geneTable = '', genes: kind = 'symbol', dropUnmapped = false } = options;
  const table = geneTableAt(geneTable);
  const { source, release, digest } = table;
  const mapped = mapGenes(table, names, kind);
  verifyMapped(file, mapped, `${source} ${release}`, dropUnmapped);
  const rows = mapped.identifiers.flatMap((name, i) => (name === null ? [] : [i]));
  if (rows.length === 0) throw new RegulonError('E_DATA_FORMAT', `${file}: no gene of ${source} ${release}`);
  return {
    names: rows.map((i) => mapped.identifiers[i] ?? ''),
    rows: rows.length === names.length ? undefined : rows,
    identifiers: { kind, source, release, sha256: digest },
  };
}

function verifyMapped(
  file: string,
  { clash, ...mapped }: MappedGenes,
  table: string,
  dropUnmapped: boolean,
): void {
  if (clash) {
    const [a, b] = clash;
    throw new RegulonError(
      'E_DATA_DUPLICATE',
      `${file}: genes ${a + 1} and ${b + 1} are one gene of ${table}`,
    );
  }
  const lost = [
    ['unknown', mapped.unknown],
    ['of several genes', mapped.ambiguous],
    ['damaged by a spreadsheet', mapped.damaged],
    ['a second name of a gene that is there', mapped.surplus],
  ] as const;
  const parts = lost.filter(([, places]) => places.length > 0);
  if (parts.length === 0 || dropUnmapped) return;
  const text = parts.map(([why, places]) => `${places.length} ${why} (${placesText(places)})`).join(', ');
  throw new RegulonError('E_DATA_FORMAT', `${file}: ${table} does not translate every gene: ${text}`, {
    hint: 'correct the names, take a newer table, or leave these genes out with --drop-unmapped',
  });
}

const placesText = (places: readonly number[]): string =>
  `gene ${places
    .slice(0, 5)
    .map((place) => place + 1)
    .join(', ')}${places.length > 5 ? ' …' : ''}`;

function inPanel(file: string, own: GeneAxis, path: string, maskAbsent: boolean): GeneAxis {
  const panel = parsePanelFile(textOf(path), basename(path));
  if (identifiersText(panel.identifiers) !== identifiersText(own.identifiers ?? null)) {
    throw new RegulonError('E_PANEL', `${file}: ${basename(path)} is a panel of other identifiers`, {
      hint: 'import with the gene table that the panel was made with',
    });
  }
  const places = new Map(own.names.map((name, i) => [name, own.rows?.[i] ?? i]));
  const rows = panel.genes.map((gene) => places.get(gene) ?? -1);
  const absent = rows.flatMap((row, gene) => (row < 0 ? [gene] : []));
  if (absent.length === rows.length) throw new RegulonError('E_PANEL', `${file}: holds no gene of the panel`);
  if (absent.length > 0 && !maskAbsent) {
    throw new RegulonError(
      'E_PANEL',
      `${file}: lacks ${absent.length} of ${rows.length} genes of the panel (${placesText(absent)})`,
      { hint: 'make the panel with --rule intersection, or import with --mask-absent' },
    );
  }
  return { names: panel.genes, rows, identifiers: own.identifiers };
}
