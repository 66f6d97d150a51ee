export { ApiModule, startApi, type RunningApi } from './start-api.js';
export type { WhoAmI } from './accounts.controller.js';
export { API_CONTEXT, type ApiContext } from './context.js';
export type {
  ActorHead,
  AttachmentsReply,
  AttachmentsRequest,
  EntriesReply,
  EntriesRequest,
  ModelSpecification,
  ProposeReply,
  ProposeRequest,
  RoundFacts,
  RunDocument,
  RunEvent,
  RunList,
  RunStatusText,
  RunSummary,
  SiteInRun,
  SiteList,
} from '../runs/documents.js';
