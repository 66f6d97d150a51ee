export { keptProposal, proposalFile } from './kept-proposal.js';
export { proposeOnce } from './propose-once.js';
export { readProvenance } from './provenance-file.js';
