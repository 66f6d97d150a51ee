export { Presence, type PresenceListener } from './presence.js';
export { Leases, type Lease } from './leases.js';
export { RunUploadBook, type UploadBookContext } from './upload-book.js';
