/** Columns of statistics as edgeR, limma and DESeq2 name them, written in small letters and digits alone. */
const STATISTICS: ReadonlySet<string> = new Set([
  ...['logfc', 'log2foldchange', 'foldchange', 'lfcse', 'logcpm', 'aveexpr', 'basemean'],
  ...['t', 'b', 'f', 'lr', 'stat', 'pvalue', 'pval', 'adjpval', 'padj', 'fdr', 'qvalue'],
]);

/**
 * Why a table of numbers seems to be no matrix of units: its columns are statistics, or there is a single one.
 *
 * @param columns their names
 * @returns a sentence for a person, or none
 */
export function whyNoMatrix(columns: readonly string[]): string[] {
  const statistics = columns.filter((name) => STATISTICS.has(name.toLowerCase().replace(/[^a-z0-9]/g, '')));
  if (statistics.length >= 2 && statistics.length > columns.length / 2) {
    const named = statistics.slice(0, 4).join(', ');
    return [`a table of results: ${named} are statistics of genes, not units; there is nothing to train on`];
  }
  if (columns.length !== 1) return [];
  return ['one column of numbers: a list, such as size factors; a matrix has a column for each unit'];
}
