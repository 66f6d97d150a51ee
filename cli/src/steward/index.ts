export { type Agreed, approvalBody, approvalEnd, digestOfBody, endOfDay } from './approval.js';
export { findProposal, inboxOf, type OwnWord, verifyNotWithdrawn, withdrawalsIn } from './inbox.js';
export { inboxLines, STOPPED } from './inbox-lines.js';
export { requestFacts } from './request-facts.js';
export { requestLines } from './request-lines.js';
export { type SiteLink, withSite } from './site-link.js';
export { StewardBook } from './steward-book.js';
export { grantRole, revokeRole, ROLE_REASONS } from './roles.js';
export { reviewersOf, secondPerson, statedPolicy, verifyPersons } from './second-person.js';
export { verifyTerms, verifyUse } from './data-use.js';
export { policyLines, settlePolicy, statedLines, succeeding } from './policy.js';
export {
  type DueWithdrawal,
  refusePlan,
  refuseUnread,
  withdrawDataset,
  WITHDRAWAL_REASONS,
  withdrawUnread,
} from './withdrawal.js';
export { ofKind } from './read-log.js';
