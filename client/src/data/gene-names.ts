/** Months of names that a spreadsheet made of SEPT2, MARCH1, DEC1 …: `2-Sep`, `Mar-01`, `1-Dec`. */
const MONTH = 'Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec';
// capital months only: `sep-1` is a worm gene, `Sep-01` is a spreadsheet's
const DATE = new RegExp(`^(\\d{1,2}-(${MONTH})|(${MONTH})-\\d{1,2}|\\d{4}-\\d\\d-\\d\\d)$`);

/** Rows of counting tools that are no genes. */
const SUMMARY =
  /^(N_(unmapped|multimapping|noFeature|ambiguous)|__(no_feature|ambiguous|too_low_aQual|not_aligned|alignment_not_unique))$/;

const ENTREZ = /^(Entrezid:)?\d+$/i;
const ENSEMBL = /^ENS[A-Z]*G\d{11}(\.\d+)?$/;

/** The rule that a gene name breaks, or null. */
export function geneNameFault(name: string): string | null {
  if (DATE.test(name)) return 'the gene name was turned into a date by a spreadsheet';
  if (SUMMARY.test(name)) return 'a summary row of the counting tool, not a gene: remove it';
  return null;
}

/** Remarks on a panel for the hospital's quality report; names of genes are no patient data, but none is needed here. */
export function panelNotes(genes: readonly string[]): string[] {
  const kinds = new Map<string, number>();
  let versions = 0;
  for (const gene of genes) {
    const kind = ENTREZ.test(gene) ? 'Entrez numbers' : ENSEMBL.test(gene) ? 'Ensembl ids' : 'symbols';
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    if (/^ENS.*\.\d+$/.test(gene)) versions++;
  }
  const notes: string[] = [];
  if (kinds.size > 1) {
    const parts = [...kinds].map(([kind, count]) => `${count} ${kind}`);
    notes.push(`gene names of several kinds: ${parts.join(', ')}`);
  }
  if (versions > 0)
    notes.push(`${versions} Ensembl ids carry a version suffix; the other sites need the same`);
  return notes;
}
