import { RegulonError } from '../../errors/index.js';
import { type FeatureSpecification } from '../specification.js';
import { lastStep } from '../fitted-steps.js';

const HEADER = ['gene', 'logFC', 'CI.L', 'CI.R', 'AveExpr', 't', 'P.Value', 'adj.P.Val', 'B'];

/**
 * The table of a limma-voom test as tab-separated text with limma's column names, smallest P first (ties in the order of
 * the genes); a volcano plot is logFC against −log10 P.Value.
 *
 * @param panel names of the genes in their order; default: positions in the panel, from 0
 * @returns null when the preparation holds no test
 * @throws E_PANEL when the panel has another number of genes
 */
export function testTableText(spec: FeatureSpecification, panel?: readonly string[]): string | null {
  const fitted = lastStep(spec, 'limma-voom');
  if (!fitted) return null;
  if (panel && panel.length !== spec.genes)
    throw new RegulonError('E_PANEL', `the panel has ${panel.length} genes, the run ${spec.genes}`);
  const { genes, logFC, average, t, pValue, adjusted, logOdds, halfWidth } = fitted.table;
  const order = Uint32Array.from(genes.keys()).sort((a, b) => (pValue[a] ?? 1) - (pValue[b] ?? 1) || a - b);
  const lines = Array.from(order, (j) => {
    const [fold = NaN, half = NaN, gene = 0] = [logFC[j], halfWidth[j], genes[j]];
    const numbers = [fold, fold - half, fold + half, average[j], t[j], pValue[j], adjusted[j], logOdds[j]];
    return [panel?.[gene] ?? String(gene), ...numbers.map(String)].join('\t');
  });
  return `${[HEADER.join('\t'), ...lines].join('\n')}\n`;
}
