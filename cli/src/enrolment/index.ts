export { fingerprint, shown } from './change-lines.js';
export { type Addresses, coordinatorYaml, daemonYaml, type SiteSetting } from './configs.js';
export { type CoordinatorSeeds, makeCoordinatorKeys, readCoordinatorSeeds } from './coordinator-keys.js';
export { type FederationFile, federationFileSchema } from './federation-file.js';
export { admit, admittedRequests, createFederation, invite } from './founder.js';
export { FounderFolder, type Terms, termsSchema } from './founder-folder.js';
export { certify, collect, found, isWhole, openChange, proposeFounding } from './founding.js';
export { sealGenesis } from './genesis-entry.js';
export { installSite, installUpdate, unreadRoster } from './install-site.js';
export { invitationSchema } from './invitation.js';
export { InvitationBook } from './invitation-book.js';
export { enrolmentRequestSchema, joinRequestSchema } from './join-request.js';
export { joinSite } from './join-site.js';
export {
  keyPathIn,
  keyRotationSchema,
  nextKeyOf,
  ROTATED_ROLES,
  type RotatedRole,
  rotateKey,
} from './key-rotation.js';
export { type FederationName, Person, type Statement } from './person.js';
export { writeDocument, writePrivate, writePublic } from './public-files.js';
export { renewSite, takeRenewal } from './renewal.js';
export { buildRoster, signRoster } from './roster.js';
export {
  digestOfRoster,
  isRosterSigned,
  signersOf,
  type RosterChange,
  rosterChangeSchema,
} from './roster-change.js';
export { dueSignature } from './sign-change.js';
export { SiteFolder } from './site-folder.js';
export { chainIn, rosterChainOf, rosterInForce } from './roster-chain.js';
export { type ChangeOptions, proposeJoin, proposeRevoke, proposeRotation, putInForce } from './membership.js';
export { softwareDigest } from './software-digest.js';
