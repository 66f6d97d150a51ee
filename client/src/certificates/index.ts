export { isRenewalDue, renewCertificate, type RenewedSite } from './certificate-renewal.js';
export { CertificateWatch } from './certificate-watch.js';
