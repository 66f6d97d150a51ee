import { RegulonError } from '../../errors/index.js';
import { compareCodePoints } from '../code-point.js';
import { identifiersText } from '../panel.js';
import type { Panel } from './panel-file.js';

/** Which genes of several sites make the common panel. */
export type PanelRule =
  /** genes that every site has */
  | { readonly rule: 'intersection' }
  /** genes that any site has; those that a site lacks are missing there */
  | { readonly rule: 'union' }
  /** genes that at least so many sites have */
  | { readonly rule: 'min-sites'; readonly sites: number };

/** The genes of one site. */
export interface GeneList extends Panel {
  /** file or site, for errors and the table of what each lacks */
  readonly name: string;
}

/** A common panel, genes by code point, whatever the order of the sites and of their genes. */
export interface CombinedPanel extends Panel {
  readonly sites: readonly {
    readonly name: string;
    readonly genes: number;
    /** genes of the panel that this site lacks */
    readonly lacks: number;
    /** genes of this site that the panel leaves out */
    readonly unused: number;
  }[];
}

/**
 * The common panel of several sites.
 *
 * @throws E_ARGUMENT when the rule asks for more sites than there are
 * @throws E_PANEL when identifiers differ, or no gene is left
 */
export function combinePanels(lists: readonly GeneList[], rule: PanelRule): CombinedPanel {
  const identifiers = commonIdentifiers(lists);
  const needed = neededSites(rule, lists.length);
  const counts = new Map<string, number>();
  for (const list of lists) for (const gene of list.genes) counts.set(gene, (counts.get(gene) ?? 0) + 1);
  const genes = [...counts].flatMap(([gene, count]) => (count >= needed ? [gene] : []));
  if (genes.length === 0) {
    throw new RegulonError('E_PANEL', `no gene is at ${needed} of ${lists.length} sites`, {
      hint: 'translate the names with one gene table: regulon data import --gene-table',
    });
  }
  const panel = new Set(genes);
  const sites = lists.map(({ name, genes: own }) => {
    const shared = own.filter((gene) => panel.has(gene)).length;
    return { name, genes: own.length, lacks: panel.size - shared, unused: own.length - shared };
  });
  return { genes: genes.sort(compareCodePoints), identifiers, sites };
}

function neededSites(rule: PanelRule, lists: number): number {
  const needed = rule.rule === 'min-sites' ? rule.sites : rule.rule === 'union' ? 1 : lists;
  if (lists >= 1 && Number.isInteger(needed) && needed >= 1 && needed <= lists) return needed;
  throw new RegulonError(
    'E_ARGUMENT',
    `a panel of genes at ${needed} sites cannot be made of ${lists} lists`,
  );
}

function commonIdentifiers([first, ...others]: readonly GeneList[]): Panel['identifiers'] {
  const text = (list: GeneList | undefined): string => identifiersText(list?.identifiers ?? null);
  const other = others.find((list) => text(list) !== text(first));
  if (!other) return first?.identifiers ?? null;
  throw new RegulonError(
    'E_PANEL',
    `${first?.name}, ${other.name}: the identifiers are not of one gene table`,
    {
      hint: 'import both with the same --gene-table and --genes',
    },
  );
}
