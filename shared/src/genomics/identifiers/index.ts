export {
  type GeneRecord,
  type GeneTable,
  geneTableBytes,
  geneTableOfHgnc,
  IDENTIFIER_KINDS,
  type IdentifierKind,
  parseGeneTable,
} from './gene-table.js';
export { type MappedGenes, mapGenes } from './map-genes.js';
export { combinePanels, type CombinedPanel, type GeneList, type PanelRule } from './combine-panels.js';
export { type Panel, panelFileText, parsePanelFile } from './panel-file.js';
export { damageOf, serialDamage } from './spreadsheet-damage.js';
