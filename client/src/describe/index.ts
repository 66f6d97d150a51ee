export { describeSite } from './describe-site.js';
