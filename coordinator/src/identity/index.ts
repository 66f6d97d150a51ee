export { accountName } from './account-name.js';
export { providerUrl } from './provider-url.js';
export { type Caller, needsSecondFactor, type Role, roles, tokenFileCaller } from './role.js';
