export { createCertificateRequest } from './certificate-request.js';
export { initSite, verifyEnrolment, type EnrolmentRequest } from './init.js';
export {
  keyPathsOf,
  loadSiteKeys,
  privateFolder,
  readKeyFile,
  readSeedFile,
  verifyOwnOnly,
  writeKeyFile,
  type SiteKeys,
} from './key-files.js';
export { signGenesis, signGenesisPayload } from './sign-genesis.js';
