export { Authority, CERTIFICATE_DAYS, type Credential, type SiteName, siteUri } from './authority.js';
export { renewOwnCertificate } from './own-certificate.js';
export { SiteCertificates } from './site-certificates.js';
