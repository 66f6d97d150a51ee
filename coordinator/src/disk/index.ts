export { isDiskFull, syncFolder, syncFolderNow, systemCode } from './disk.js';
