export { BoardView, stderrScreen, type Screen } from './board-view.js';
export { boardEventsOf } from './events.js';
