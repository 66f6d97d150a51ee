export { Authority, CERTIFICATE_DAYS, type Credential, type SiteName, siteUri } from './authority.js';
export { type OwnCertificate, OwnCertificateWatch, renewOwnCertificate } from './own-certificate.js';
export { SiteCertificates } from './site-certificates.js';
