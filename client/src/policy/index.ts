export { loadFederation, type Federation } from './federation.js';
export { verifyAgreement, type Agreement } from './agreement.js';
export { verifyLoggedAgreement, verifyLoggedConsent } from './logged-agreement.js';
export { verifyDataOpen } from './open-data.js';
export { verifyModelSize } from './plan-rules.js';
export { verifySameData } from './steward-statements.js';
export { verifyAgainstPlan } from './manifest-rules.js';
export { verifyCohort } from './cohort-rule.js';
export type { SiteView } from './site-view.js';
