export { type LayerRow, type ModelOutline, modelOutlineOf } from './model-outline.js';
export { modelSvg, textAlternative } from './model-svg.js';
export { attributionPage, rankedInputs } from './attribution-page.js';
