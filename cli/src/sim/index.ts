export { holdCeremony, type CeremonyOptions, type FoundedFederation } from './ceremony/ceremony.js';
export { folderAt } from './ceremony/folder.js';
export { Person } from './ceremony/person.js';
export { detectLayout, filesOf, simulatedLayout, type DataLayout, type SiteFiles } from './layout.js';
export { freePorts } from './ports.js';
export { exampleFile, programs, runToEnd, softwareDigest, verifyCompiled } from './programs.js';
export type { ReferenceReport, ReferenceScore } from './reference/job.js';
export { Supervisor, type RunningProcess } from './supervisor.js';
