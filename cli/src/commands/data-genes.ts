import { basename } from 'node:path';
import { type Command, Option } from 'commander';
import { geneListOf, textOf } from '@regulon/client/data';
import { hex } from '@regulon/shared/crypto';
import {
  combinePanels,
  geneTableBytes,
  geneTableOfHgnc,
  panelDigest,
  panelFileText,
  type PanelRule,
  parseGeneTable,
} from '@regulon/shared/genomics';
import { wholeNumber } from '../arguments/index.js';
import { verifyReplaceable, writeWhole } from '../files/index.js';
import { tableLines } from '../output/index.js';
import { type Context, handles } from './context.js';

/** `regulon data genes`: HGNC's complete set becomes the gene table of a federation. */
export function genesCommand(data: Command, context: Context): void {
  const command = data
    .command('genes')
    .description("make a gene table of HGNC's complete set (tab-separated text)")
    .argument('<file>', 'hgnc_complete_set.txt')
    .requiredOption('--release <date>', 'as HGNC dates it, e.g. 2026-10-06')
    .requiredOption('--out <file>', 'the gene table')
    .option('--force', 'replace that file', false);
  handles<{ release: string; out: string; force: boolean }>(
    command,
    context,
    async ([file = ''], { release, out, force }) => {
      verifyReplaceable(out, force);
      const bytes = geneTableBytes(geneTableOfHgnc(textOf(file), release, basename(file)));
      const { source, genes, digest } = parseGeneTable(bytes, basename(out));
      writeWhole(out, bytes);
      const first = `${out}  ${genes.length.toLocaleString('en')} genes of ${source} ${release}`;
      return {
        data: { file: out, genes: genes.length, source, release, digest },
        lines: [first, `digest ${digest}`],
      };
    },
    'files',
  );
}

interface PanelOptions {
  readonly rule: 'intersection' | 'union' | 'min-sites';
  readonly minSites?: string;
  readonly out: string;
  readonly force: boolean;
}

/** `regulon data panel`: the common genes of several sites, from the lists that they exchange. */
export function panelCommand(data: Command, context: Context): void {
  const command = data
    .command('panel')
    .description('the common panel of several lists of genes; of one dataset: its list, to be handed on')
    .argument('<lists...>', 'imported datasets, or panel files of other sites')
    .addOption(
      new Option('--rule <rule>', 'which genes')
        .choices(['intersection', 'union', 'min-sites'])
        .default('intersection'),
    )
    .option('--min-sites <n>', 'with --rule min-sites: sites that must have a gene')
    .requiredOption('--out <file>', 'the panel')
    .option('--force', 'replace that file', false);
  handles<PanelOptions>(
    command,
    context,
    async (paths, options) => {
      verifyReplaceable(options.out, options.force);
      const { genes, identifiers, sites } = combinePanels(
        paths.map(geneListOf),
        ruleOf(options, paths.length),
      );
      writeWhole(options.out, panelFileText({ genes, identifiers }));
      const digest = hex(panelDigest(genes, identifiers ?? undefined));
      const count = (n: number): string => n.toLocaleString('en');
      const lines = tableLines(
        [
          { title: 'list', value: (row: (typeof sites)[number]) => row.name },
          { title: 'genes', value: (row) => count(row.genes), right: true },
          { title: 'lacks', value: (row) => count(row.lacks), right: true },
          { title: 'unused', value: (row) => count(row.unused), right: true },
        ],
        sites,
      );
      return {
        data: { file: options.out, genes: genes.length, digest, identifiers, sites },
        lines: [`${options.out}  ${count(genes.length)} genes`, `panel ${digest}`, ...lines],
      };
    },
    'files',
  );
}

/** @throws E_ARGUMENT */
function ruleOf({ rule, minSites }: PanelOptions, lists: number): PanelRule {
  if (rule !== 'min-sites') return { rule };
  return { rule, sites: wholeNumber('--min-sites', minSites ?? '', 1, lists) };
}
