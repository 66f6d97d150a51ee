import { hex, sha256, utf8 } from '../../crypto/index.js';
import { RegulonError } from '../../errors/index.js';

/** Kinds of identifiers that a panel may be written in. */
export const IDENTIFIER_KINDS = ['symbol', 'ensembl', 'entrez'] as const;
export type IdentifierKind = (typeof IDENTIFIER_KINDS)[number];

/** One gene of a table; an empty text where it has no such identifier. */
export interface GeneRecord {
  readonly symbol: string;
  /** without version */
  readonly ensembl: string;
  readonly entrez: string;
  readonly aliases: readonly string[];
  readonly previous: readonly string[];
}

/** Names of genes as one authority gave them at one time. */
export interface GeneTable {
  readonly source: string;
  readonly release: string;
  /** SHA-256 of the file, hexadecimal */
  readonly digest: string;
  readonly genes: readonly GeneRecord[];
}

const COLUMNS = ['symbol', 'ensembl', 'entrez', 'aliases', 'previous'] as const;
const MAX_BYTES = 2 ** 26;
const MAX_GENES = 1_000_000;
const SOURCE = /^\S.{0,99}$/;
/** Without blanks: a panel file tells source and release in one line, and the last blank parts them. */
const RELEASE = /^\S{1,100}$/;
const RULES: Readonly<Record<IdentifierKind, RegExp>> = {
  symbol: /^\S{1,64}$/,
  ensembl: /^(ENS[A-Z]*G\d{11}|)$/,
  entrez: /^\d{0,12}$/,
};

/**
 * Read a gene table: two comment lines `# source: …`, `# release: …`, a header, then one gene a line, tab-separated;
 * aliases and previous symbols stand between `|`. The release holds no blank.
 *
 * @throws E_DATA_FORMAT, E_DATA_DUPLICATE naming line, column and rule
 */
export function parseGeneTable(bytes: Uint8Array, file: string): GeneTable {
  const at = (line: number, rule: string): RegulonError =>
    new RegulonError('E_DATA_FORMAT', `${file}: line ${line}: ${rule}`);
  if (bytes.length > MAX_BYTES) throw new RegulonError('E_DATA_FORMAT', `${file}: larger than 64 MiB`);
  const lines = new TextDecoder().decode(bytes).split(/\r?\n/);
  const comment = (line: number, name: string, rule: RegExp): string => {
    const start = `# ${name}: `;
    const text = lines[line - 1] ?? '';
    if (!text.startsWith(start) || !rule.test(text.slice(start.length)))
      throw at(line, `is not \`${start}…\`, 1 to 100 characters${rule === RELEASE ? ' without blanks' : ''}`);
    return text.slice(start.length);
  };
  const [source, release] = [comment(1, 'source', SOURCE), comment(2, 'release', RELEASE)];
  if (lines[2] !== COLUMNS.join('\t')) throw at(3, `the columns are not ${COLUMNS.join(', ')}`);
  const genes = lines.slice(3).flatMap((line, i) => (line === '' ? [] : [recordOf(line, i + 4, at)]));
  if (genes.length === 0) throw new RegulonError('E_DATA_FORMAT', `${file}: holds no gene`);
  if (genes.length > MAX_GENES)
    throw new RegulonError('E_DATA_FORMAT', `${file}: more than ${MAX_GENES} genes`);
  verifyUnique(genes, file);
  return { source, release, digest: hex(sha256(bytes)), genes };
}

function recordOf(
  line: string,
  number: number,
  at: (line: number, rule: string) => RegulonError,
): GeneRecord {
  const cells = line.split('\t');
  if (cells.length !== COLUMNS.length) throw at(number, `${cells.length} cells instead of ${COLUMNS.length}`);
  const [symbol = '', ensembl = '', entrez = '', aliases = '', previous = ''] = cells;
  const ids = { symbol, ensembl, entrez };
  const wrong = IDENTIFIER_KINDS.find((kind) => !RULES[kind].test(ids[kind]));
  if (wrong !== undefined) throw at(number, `no ${wrong} identifier`);
  const list = (text: string): string[] => text.split('|').filter((name) => name !== '');
  return { ...ids, aliases: list(aliases), previous: list(previous) };
}

function verifyUnique(genes: readonly GeneRecord[], file: string): void {
  const seen = new Map<string, number>();
  genes.forEach(({ symbol }, i) => {
    const first = seen.get(symbol);
    if (first !== undefined) {
      throw new RegulonError(
        'E_DATA_DUPLICATE',
        `${file}: genes ${first + 1} and ${i + 1} have the same symbol`,
      );
    }
    seen.set(symbol, i);
  });
}

/** The text of a gene table, genes by symbol; equal content gives equal bytes. */
export function geneTableText({ source, release, genes }: Omit<GeneTable, 'digest'>): string {
  const rows = genes.map(({ symbol, ensembl, entrez, aliases, previous }) =>
    [symbol, ensembl, entrez, aliases.join('|'), previous.join('|')].join('\t'),
  );
  return [`# source: ${source}`, `# release: ${release}`, COLUMNS.join('\t'), ...rows.sort(), ''].join('\n');
}

/** Columns of HGNC's complete set, https://www.genenames.org/download/archive/ (CC0). */
const HGNC = ['symbol', 'status', 'ensembl_gene_id', 'entrez_id', 'alias_symbol', 'prev_symbol'] as const;

/**
 * A gene table from HGNC's complete set (tab-separated text); withdrawn entries are left out.
 *
 * @param release as HGNC dates it, e.g. `2026-10-06`; 1 to 100 characters, no blanks
 * @throws E_DATA_FORMAT when a column is absent
 */
export function geneTableOfHgnc(text: string, release: string, file: string): Omit<GeneTable, 'digest'> {
  const [head = '', ...lines] = text.split(/\r?\n/);
  const names = head.split('\t').map(unquoted);
  const absent = HGNC.find((name) => !names.includes(name));
  if (absent !== undefined) {
    throw new RegulonError('E_DATA_FORMAT', `${file}: line 1: there is no column ${absent}`, {
      hint: 'take the complete set of HGNC as tab-separated text',
    });
  }
  const genes = lines.flatMap((line): GeneRecord[] => {
    const cells = line.split('\t').map(unquoted);
    const cell = (name: (typeof HGNC)[number]): string => cells[names.indexOf(name)] ?? '';
    if (line === '' || cell('status') !== 'Approved') return [];
    const list = (name: 'alias_symbol' | 'prev_symbol'): string[] =>
      cell(name)
        .split('|')
        .filter((other) => other !== '' && other !== cell('symbol'))
        .sort();
    const [symbol, ensembl, entrez] = [cell('symbol'), cell('ensembl_gene_id'), cell('entrez_id')];
    return [{ symbol, ensembl, entrez, aliases: list('alias_symbol'), previous: list('prev_symbol') }];
  });
  return { source: 'HGNC', release, genes };
}

const unquoted = (cell: string): string =>
  cell
    .trim()
    .replace(/^"(.*)"$/, '$1')
    .trim();

/** Text of a table as the bytes that are hashed. */
export const geneTableBytes = (table: Omit<GeneTable, 'digest'>): Uint8Array => utf8(geneTableText(table));
