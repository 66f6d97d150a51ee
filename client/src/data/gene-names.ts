import { damageOf } from '@regulon/shared/genomics';

/** Rows of counting tools that are no genes. */
const SUMMARY =
  /^(N_(unmapped|multimapping|noFeature|ambiguous)|__(no_feature|ambiguous|too_low_aQual|not_aligned|alignment_not_unique))$/;

const ENTREZ = /^(Entrezid:)?\d+$/i;
const ENSEMBL = /^ENS[A-Z]*G\d{11}(\.\d+)?$/;

/** The rule that a name breaks whatever the genes are, or null. */
export function rowFault(name: string): string | null {
  if (name === '' || /[\r\n]/.test(name)) return 'the gene has no name';
  return SUMMARY.test(name) ? 'a summary row of the counting tool, not a gene: remove it' : null;
}

/** The rule that a gene name breaks, or null. */
export function geneNameFault(name: string): string | null {
  const damage = damageOf(name);
  if (damage) return `the gene name was turned into a ${damage.kind} by a spreadsheet`;
  return SUMMARY.test(name) ? rowFault(name) : null;
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
