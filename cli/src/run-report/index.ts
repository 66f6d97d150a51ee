export { type Bar, barChart } from './bar-chart.js';
export { axisOf, COLOURS, figureOf, FRAME, label, type Picture, place } from './chart-frame.js';
export { escaped, htmlTable, numberText } from './html.js';
export { type Line, lineChart } from './line-chart.js';
export { htmlPage } from './html-page.js';
export { reportPage } from './page.js';
export { membershipPicture, rocFigure, type RocCurve } from './roc-figure.js';
export { shownPreparations } from './preparations.js';
