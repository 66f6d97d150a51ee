import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { geneListOf, inspectTable, summariseRecords } from '@regulon/client/data';
import { utf8 } from '@regulon/shared/crypto';
import type { ErrorCode } from '@regulon/shared/errors';
import { mapGenes, parseGeneTable } from '@regulon/shared/genomics';
import { changeTable } from '../grammar/table.js';
import { changeLines } from '../grammar/text.js';
import { mustHold, type Target } from '../harness/target.js';

/** Codes under which an importer may refuse a file. */
export const IMPORT_CODES: readonly ErrorCode[] = [
  ...(['E_DATA_FORMAT', 'E_DATA_NOT_FINITE', 'E_DATA_DUPLICATE', 'E_DATA_SCALE', 'E_ARGUMENT'] as const),
];

/** What must hold of a file that an inspection accepted. */
export async function inspectOne(path: string, options: { patienceMs?: number } = {}): Promise<void> {
  const found = await inspectTable(path, options);
  if (found.kind === 'labels')
    return mustHold(found.repeatedUnits <= found.units, 'more repeated units than units');
  const { cells, genes, units, missing, zeros, negative, min, max } = found;
  mustHold(cells === genes * units, 'another number of cells than genes × units');
  mustHold(missing + zeros + negative <= cells, 'more missing, zero and negative values than cells');
  mustHold(min === null || max === null || min <= max, 'a minimum above the maximum');
}

interface TextFile {
  readonly name: string;
  /** name of the file, which tells some formats */
  readonly file: string;
  readonly text: string;
  /** files beside it */
  readonly beside?: Readonly<Record<string, string>>;
  readonly read?: (path: string) => Promise<unknown>;
}

function textTarget({ name, file, text, beside = {}, read = inspectOne }: TextFile): Target {
  const home = mkdtempSync(join(tmpdir(), 'regulon-fuzz-'));
  mkdirSync(join(home, 'data'));
  const path = join(home, 'data', file);
  for (const [other, content] of Object.entries(beside)) writeFileSync(join(home, 'data', other), content);
  const words = [...new Set(text.split(/[\t\n =]/))].filter((word) => word !== '');
  const change = changeLines(words);
  return {
    name,
    codes: IMPORT_CODES,
    examples: () => [utf8(text)],
    async run(input) {
      writeFileSync(path, input);
      await read(path);
    },
    change: (input, dice) => (dice.chance(2) ? changeTable(input, dice) : change(input, dice)),
    words: [...words, '\t', '\r\n', '\ufeff', '1e400', '\u0000'],
    inputs: 300,
    close: () => rmSync(home, { recursive: true }),
  };
}

const SOFT = [
  ...[
    '^DATABASE = Geo',
    '^PLATFORM = GPL1',
    '!platform_table_begin',
    'ID\tGB',
    'a_at\tX1',
    '!platform_table_end',
  ],
  ...['^SAMPLE = GSM1', '!Sample_title = one', '!Sample_source_name_ch1 = liver', '#VALUE = log ratio'],
  ...['!sample_table_begin', 'ID_REF\tVALUE', 'a_at\t1.5', 'b_at\tnull', '!sample_table_end'],
  ...[
    '^SAMPLE = GSM2',
    '!sample_table_begin',
    'ID_REF\tVALUE',
    'a_at\t2',
    'b_at\t-3',
    '!sample_table_end',
    '',
  ],
].join('\n');
const DATASET = [
  ...['^DATABASE = Geo', '^DATASET = GDS1', '^SUBSET = GDS1_1', '!subset_description = tumour'],
  ...['!subset_sample_id = GSM2', '!subset_type = disease state', '!dataset_table_begin'],
  ...['ID_REF\tIDENTIFIER\tGSM1\tGSM2', 'a_at\tESR1\t1\tnull', 'b_at\tXBP1\t2\t3', '!dataset_table_end', ''],
].join('\n');
const SERIES_MATRIX = [
  ...['!Series_title\t"x"', '!Sample_title\t"a"\t"b"', '!Sample_geo_accession\t"GSM1"\t"GSM2"'],
  ...['!Sample_characteristics_ch1\t"tissue: liver"\t"tissue: lung"', '!series_matrix_table_begin'],
  ...['"ID_REF"\t"GSM1"\t"GSM2"', '"a_at"\t1.5\t2', '"b_at"\t\t-3', '!series_matrix_table_end', ''],
].join('\n');
const GENE_TABLE = [
  ...['# source: HGNC', '# release: 2026-10-06', 'symbol\tensembl\tentrez\taliases\tprevious'],
  ...['ESR1\tENSG00000091831\t2099\tNR3A1|Era\tESR', 'SEPTIN2\tENSG00000168385\t4735\t\tSEPT2', ''],
].join('\n');

/** Texts that hospitals, their machines and repositories write. */
export const tableTargets = (): Target[] => [
  textTarget({
    name: 'gct-file',
    file: 'x.gct',
    text: '#1.3\n2\t2\t1\t1\nid\tdesc\tP1\tP2\nkind\tna\ta\tb\nG1\tfirst\t1.5\t2\nG2\tsecond\t0\t-3\n',
  }),
  textTarget({ name: 'soft-file', file: 'x.soft', text: SOFT }),
  textTarget({ name: 'geo-dataset-file', file: 'x.soft', text: DATASET }),
  textTarget({ name: 'series-matrix-file', file: 'x.txt', text: SERIES_MATRIX }),
  textTarget({
    name: 'feature-counts-file',
    file: 'x.txt',
    text: '# Program:featureCounts v2\nGeneid\tChr\tStart\tEnd\tStrand\tLength\ta.bam\tb.bam\nG1\t1;1\t1;9\t5;12\t+;+\t9\t3\t0\nG2\t2\t4\t8\t-\t5\t7\t1\n',
  }),
  textTarget({
    name: 'star-file',
    file: 'P1_ReadsPerGene.out.tab',
    text: 'N_unmapped\t1\t1\t1\nN_multimapping\t2\t2\t2\nN_noFeature\t3\t3\t3\nN_ambiguous\t4\t4\t4\nG1\t5\t2\t3\nG2\t0\t0\t0\n',
  }),
  textTarget({
    name: 'salmon-file',
    file: 'quant.sf',
    text: 'Name\tLength\tEffectiveLength\tTPM\tNumReads\nENST1.2\t9\t8.1\t1e6\t3.5\nENST2.1\t7\t6\t0\t0\n',
  }),
  textTarget({
    name: 'vcf-file',
    file: 'x.vcf',
    text: '##fileformat=VCFv4.3\n##source=x\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tP1\tP2\n1\t10\trs1\tA\tG\t.\tPASS\t.\tGT:DP\t0/1:3\t1|1:4\n2\t20\t.\tC\tT,G\t.\t.\t.\tGT\t./.\t0/2\n',
  }),
  textTarget({
    name: 'mtx-file',
    file: 'matrix.mtx',
    text: '%%MatrixMarket matrix coordinate integer general\n%metadata_json: {}\n2 3 3\n2 1 4\n1 2 5\n2 3 6\n',
    beside: {
      'features.tsv': 'ENSG00000000003\tA\tGene Expression\nENSG00000000005\tB\tGene Expression\n',
      'barcodes.tsv': 'AAACCTGA-1\nAAACCTGC-1\nAAACCTGG-1\n',
    },
  }),
  textTarget({
    name: 'fasta-file',
    file: 'x.fa',
    text: '>one first\nACGTN\nacgt\n>two\nTTRYK\n',
    read: summariseRecords,
  }),
  textTarget({
    name: 'bed-file',
    file: 'x.bed',
    text: 'track name=x\nchr1\t0\t10\ta\t0\t+\nchr2\t5\t9\tb\t1\t-\n',
    read: summariseRecords,
  }),
  textTarget({
    name: 'table-of-labels-file',
    file: 'labels.csv',
    text: 'unit,subtype,plate,stage\nP1,"LumA",p1,2\nP2,Basal,p1,NA\nP3,LumB,p2,3\nP4,LumB,p2,3\n',
  }),
  { ...textTarget({ name: 'gene-table-file', file: 'x.tsv', text: GENE_TABLE }), ...geneTableRun() },
  panelTarget(),
];

function geneTableRun(): Pick<Target, 'run'> {
  return {
    run(input) {
      const table = parseGeneTable(input, 'x.tsv');
      const names = [
        'ESR1',
        '2-Sep',
        'SEPT2',
        '1-Mar',
        '45171',
        'X',
        ...table.genes.flatMap(({ previous }) => previous),
      ];
      const { identifiers, unknown, ambiguous, damaged, surplus, clash } = mapGenes(table, names, 'symbol');
      const lost = unknown.length + ambiguous.length + damaged.length + surplus.length;
      const known = identifiers.filter((name) => name !== null);
      mustHold(new Set(known).size === known.length, 'two names became one gene');
      mustHold(
        clash !== null || known.length + lost === names.length,
        'a name was neither translated nor named',
      );
    },
  };
}

function panelTarget(): Target {
  const target = textTarget({
    name: 'panel-file',
    file: 'panel.txt',
    text: `# regulon.panel/1: symbol of HGNC 2026-10-06 sha256:${'ab'.repeat(32)}\nESR1\nFOXA1\nGATA3\n`,
    read: (path) => {
      const { genes } = geneListOf(path);
      mustHold(
        new Set(genes).size === genes.length && genes.length > 0,
        'a panel with a gene twice, or none',
      );
      return Promise.resolve();
    },
  });
  return { ...target, codes: ['E_PANEL', 'E_DATA_DUPLICATE'] };
}
