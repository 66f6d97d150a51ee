export { BoardView, stderrScreen, type Screen } from './board-view.js';
export { boardEventsOf, type BoardNames } from './events.js';
