export { initSite, verifyEnrolment, type EnrolmentRequest } from './init.js';
export {
  loadSiteKeys,
  privateFolder,
  readKeyFile,
  readSeedFile,
  writeKeyFile,
  type SiteKeys,
} from './key-files.js';
export { signGenesis } from './sign-genesis.js';
