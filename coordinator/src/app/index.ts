export {
  openCore,
  startCoordinator,
  type Core,
  type Environment,
  type RunningCoordinator,
} from './coordinator.js';
