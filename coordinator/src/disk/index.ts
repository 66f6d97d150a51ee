export { isDiskFull, nameDiskFull, syncFolder, syncFolderNow, systemCode } from './disk.js';
