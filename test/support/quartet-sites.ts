import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { joinUnits, selectUnits, type UnitsView } from '@regulon/shared/genomics';
import { quartetSites } from '../../shared/src/genomics/golden-data.support.js';

/** The reference materials, each a class; the first is the one without an indicator. */
export const DONORS = ['D5', 'D6', 'F7', 'M8'];

/** What hospitals would have of the Quartet materials. */
export interface QuartetFiles {
  readonly files: { name: string; counts: string; labels: string }[];
  /** units of each site, with their batches */
  readonly views: UnitsView[];
  /** columns of the published table that are the units of each site */
  readonly columns: number[][];
}

/**
 * Write a table of values and one of donors and batches for each site; needs the shared data.
 *
 * @param batches of each site, by number in the order of the published table, from 0
 * @param replicates libraries of each donor and batch that are written
 * @param omic metabolites, or the 300 proteins of the golden files
 */
export function writeQuartetSites(
  root: string,
  names: readonly string[],
  batches: readonly (readonly number[])[],
  replicates: readonly number[] = [1, 2, 3],
  omic: 'Metabolite' | 'Protein' = 'Metabolite',
): QuartetFiles {
  const { sites, columns: own, replicates: numbers, table } = quartetSites(omic);
  const rowsOf = (batch: number): number[] =>
    (numbers[batch] ?? []).flatMap((replicate, row) => (replicates.includes(replicate) ? [row] : []));
  const columns = batches.map((list) =>
    list.flatMap((batch) => rowsOf(batch).map((row) => own[batch]?.[row] ?? NaN)),
  );
  const views = batches.map((list): UnitsView => {
    const parts = list.flatMap((batch) => {
      const view = sites[batch];
      return view ? [selectUnits(view, rowsOf(batch))] : [];
    });
    const plates = Int32Array.from(parts.flatMap((view, k) => new Array<number>(view.n).fill(k)));
    return { ...joinUnits(parts), batches: plates };
  });
  const files = names.map((name, site) => {
    const folder = join(root, name);
    mkdirSync(folder, { recursive: true });
    const view = views[site];
    if (!view) throw new Error(`no batches for ${name}`);
    const paths = { name, counts: join(folder, 'values.tsv'), labels: join(folder, 'labels.tsv') };
    writeFileSync(paths.counts, valuesText(table.rows, view));
    writeFileSync(paths.labels, labelsText(view));
    return paths;
  });
  return { files, views, columns };
}

const idsOf = ({ n }: UnitsView): string[] => Array.from({ length: n }, (_, unit) => `u${unit}`);

function valuesText(genes: readonly string[], view: UnitsView): string {
  const ids = idsOf(view);
  const rows = genes.map((gene, g) =>
    [gene, ...ids.map((_, unit) => view.values[unit * view.genes + g])].join('\t'),
  );
  return `${['', ...ids].join('\t')}\n${rows.join('\n')}\n`;
}

function labelsText(view: UnitsView): string {
  const [first, ...others] = DONORS;
  const rows = idsOf(view).map((id, unit) => {
    const at = others.findIndex((_, c) => view.covariates?.[unit * others.length + c] === 1);
    return [id, others[at] ?? first, `plate${view.batches?.[unit] ?? 0}`].join('\t');
  });
  return `${['unit', 'donor', 'batch'].join('\t')}\n${rows.join('\n')}\n`;
}
