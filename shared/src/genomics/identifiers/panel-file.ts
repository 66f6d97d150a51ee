import { RegulonError } from '../../errors/index.js';
import { identifiersText, panelDigest, type PanelIdentifiers } from '../panel.js';
import { IDENTIFIER_KINDS } from './gene-table.js';

/** An ordered list of genes, and what its identifiers are. */
export interface Panel {
  readonly genes: readonly string[];
  /** null: names as the files have them */
  readonly identifiers: PanelIdentifiers | null;
}

const FIRST = '# regulon.panel/1: ';
const AS_WRITTEN = identifiersText(null);
const TABLE = new RegExp(
  `^(${IDENTIFIER_KINDS.join('|')}) of (\\S.{0,99}) (\\S{1,100}) sha256:([0-9a-f]{64})$`,
);
const MAX_CHARACTERS = 2 ** 28;

/** A panel as text: a line that tells the identifiers, then one gene a line. @throws E_PANEL, E_DATA_DUPLICATE */
export function panelFileText({ genes, identifiers }: Panel): string {
  panelDigest(genes);
  return `${FIRST}${identifiersText(identifiers)}\n${genes.join('\n')}\n`;
}

/** @throws E_PANEL, E_DATA_DUPLICATE when it is no panel as {@link panelFileText} writes it */
export function parsePanelFile(text: string, file: string): Panel {
  if (text.length > MAX_CHARACTERS) throw new RegulonError('E_PANEL', `${file}: larger than 256 MiB`);
  const [first = '', ...genes] = text.replace(/\r?\n$/, '').split(/\r?\n/);
  const what = first.startsWith(FIRST) ? first.slice(FIRST.length) : '';
  const table = TABLE.exec(what);
  if (!table && what !== AS_WRITTEN) {
    throw new RegulonError('E_PANEL', `${file}: line 1: does not tell the identifiers of a panel`, {
      hint: 'make it with `regulon data panel`',
    });
  }
  panelDigest(genes);
  const [, kind, source = '', release = '', sha256 = ''] = table ?? [];
  const known = IDENTIFIER_KINDS.find((one) => one === kind);
  return { genes, identifiers: known ? { kind: known, source, release, sha256 } : null };
}
