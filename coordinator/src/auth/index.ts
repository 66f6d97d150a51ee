export { AccountRows } from './account-rows.js';
export { type AccountFacts, Accounts, type Credentials, type Session, type SetupCode } from './accounts.js';
export { IdentityProvider, type ProviderChallenge, type ProviderConfig } from './identity-provider.js';
export { LONGEST_PASSWORD } from './password.js';
export { LogPeople } from './log-people.js';
