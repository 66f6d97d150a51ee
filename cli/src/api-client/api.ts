import type { WhoAmI } from '@regulon/coordinator/api';
import type {
  AccountFacts,
  Credentials,
  ProviderChallenge,
  Session,
  SetupCode,
} from '@regulon/coordinator/auth';
import type {
  ActorHead,
  AnchorRequest,
  BaselineRequest,
  EntriesReply,
  EntriesRequest,
  LogHead,
  ModelSpecification,
  ProposeReply,
  ProposeRequest,
  PruneReply,
  PruneRequest,
  ReopenReply,
  ReportRequest,
  RunDocument,
  RunEvent,
  RunSummary,
} from '@regulon/coordinator/runs';
import type { ReopenDocument } from '@regulon/shared/transparency';
import {
  actorHeadReply,
  entriesReply,
  logHead,
  modelSpecification,
  proposeReply,
  pruneReply,
  reopenReply,
  runDocument,
  runList,
} from './documents.js';
import {
  accountList,
  activationReply,
  addedReply,
  challenge,
  logoutReply,
  removedReply,
  session,
  setupCode,
  whoAmI,
} from './account-documents.js';
import { type ApiAddress, RestClient } from './rest-client.js';
import { parseRunEvent } from './run-events.js';

const V1 = '/api/v1';

/**
 * The coordinator's REST API, version 1; one method a route.
 *
 * Every method throws E_CONNECTION, E_AUTH, E_MESSAGE, or the coordinator's own error with its code, message and hint.
 */
export class CoordinatorApi {
  private readonly rest: RestClient;

  constructor(address: ApiAddress) {
    this.rest = new RestClient(address);
  }

  async runs(): Promise<readonly RunSummary[]> {
    return (await this.rest.get(`${V1}/runs`, runList)).runs;
  }

  run(run: string): Promise<RunDocument> {
    return this.rest.get(`${V1}/runs/${run}`, runDocument);
  }

  propose(request: ProposeRequest): Promise<ProposeReply> {
    return this.rest.post(`${V1}/runs`, request, proposeReply);
  }

  approve(run: string, request: EntriesRequest): Promise<EntriesReply> {
    return this.rest.post(`${V1}/runs/${run}/approvals`, request, entriesReply);
  }

  stop(run: string): Promise<RunDocument> {
    return this.rest.post(`${V1}/runs/${run}/stop`, {}, runDocument);
  }

  /** What administrators would sign to reopen the burnt round of a run. */
  reopenTerms(run: string): Promise<ReopenReply> {
    return this.rest.get(`${V1}/runs/${run}/reopen`, reopenReply);
  }

  reopen(run: string, document: ReopenDocument): Promise<RunDocument> {
    return this.rest.post(`${V1}/runs/${run}/reopen`, document, runDocument);
  }

  /** Events of a run after `lastId`; ends when the coordinator closes the stream. */
  async *events(
    run: string,
    lastId: string,
    signal?: AbortSignal,
  ): AsyncGenerator<{ readonly id: string; readonly event: RunEvent }> {
    for await (const { id, data } of this.rest.events(`${V1}/runs/${run}/events`, lastId, signal)) {
      const event = parseRunEvent(data);
      if (event) yield { id, event };
    }
  }

  /** Where the last entry of an actor stands, or null before its first. */
  actorHead(type: string, id: string): Promise<ActorHead | null> {
    return this.rest.get(`${V1}/log/actors/${type}/${encodeURIComponent(id)}`, actorHeadReply);
  }

  appendEntries(request: EntriesRequest): Promise<EntriesReply> {
    return this.rest.post(`${V1}/log/entries`, request, entriesReply);
  }

  /** Newest checkpoint of the coordinator's log. */
  logHead(): Promise<LogHead> {
    return this.rest.get(`${V1}/log`, logHead);
  }

  /** Have the coordinator write `report.issued`. */
  recordReport(request: ReportRequest): Promise<EntriesReply> {
    return this.rest.post(`${V1}/log/reports`, request, entriesReply);
  }

  /** Have the coordinator write `log.baseline`. */
  proposeBaseline(request: BaselineRequest): Promise<EntriesReply> {
    return this.rest.post(`${V1}/log/baselines`, request, entriesReply);
  }

  /** Have the coordinator remove the first entries of the log. */
  pruneLog(request: PruneRequest): Promise<PruneReply> {
    return this.rest.post(`${V1}/log/prunings`, request, pruneReply);
  }

  /** Have the coordinator write `anchor`. */
  recordAnchor(request: AnchorRequest): Promise<EntriesReply> {
    return this.rest.post(`${V1}/log/anchors`, request, entriesReply);
  }

  login(credentials: Credentials): Promise<Session> {
    return this.rest.post(`${V1}/session`, credentials, session);
  }

  /** What this machine takes to the OpenID provider of the federation. */
  challenge(): Promise<ProviderChallenge> {
    return this.rest.post(`${V1}/session/challenge`, {}, challenge);
  }

  loginOfProvider(idToken: string): Promise<Session> {
    return this.rest.post(`${V1}/session/proved`, { idToken }, session);
  }

  async logout(): Promise<void> {
    await this.rest.delete(`${V1}/session`, logoutReply);
  }

  whoAmI(): Promise<WhoAmI> {
    return this.rest.get(`${V1}/session`, whoAmI);
  }

  async accounts(): Promise<readonly AccountFacts[]> {
    return (await this.rest.get(`${V1}/accounts`, accountList)).accounts;
  }

  addAccount(account: Pick<AccountFacts, 'name' | 'role'>): Promise<SetupCode> {
    return this.rest.post(`${V1}/accounts`, account, setupCode);
  }

  /** @param account whose person logs in at the OpenID provider */
  async addAccountOfProvider(account: Pick<AccountFacts, 'name' | 'role' | 'subject'>): Promise<void> {
    await this.rest.post(`${V1}/accounts`, account, addedReply);
  }

  resetAccount(name: string): Promise<SetupCode> {
    return this.rest.post(`${V1}/accounts/${encodeURIComponent(name)}/reset`, {}, setupCode);
  }

  async removeAccount(name: string): Promise<void> {
    await this.rest.delete(`${V1}/accounts/${encodeURIComponent(name)}`, removedReply);
  }

  /** @returns the `otpauth://` URI of the second factor, or null without one */
  activateAccount(request: {
    readonly name: string;
    readonly setupCode: string;
    readonly password: string;
  }): Promise<{ readonly secondFactor: string | null }> {
    return this.rest.post(`${V1}/activations`, request, activationReply);
  }

  /** The auditor's bundle (zip). */
  bundle(signal?: AbortSignal): Promise<Uint8Array> {
    return this.rest.bytes(`${V1}/log/export`, signal);
  }

  /** The same, piece by piece. */
  bundlePieces(): AsyncIterable<Uint8Array> {
    return this.rest.pieces(`${V1}/log/export`);
  }

  /** Weights of a model, float32 little-endian. */
  model(digest: string): Promise<Uint8Array> {
    return this.rest.bytes(`${V1}/models/${digest}`);
  }

  modelSpecification(digest: string): Promise<ModelSpecification> {
    return this.rest.get(`${V1}/models/${digest}/spec`, modelSpecification);
  }
}
