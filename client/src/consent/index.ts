export {
  liftObjection,
  type Objection,
  Objections,
  type Objector,
  placeObjection,
  signObjection,
  type Subject,
} from './objection.js';
