import type {
  ActorHead,
  EntriesReply,
  EntriesRequest,
  ModelSpecification,
  ProposeReply,
  ProposeRequest,
  ReopenReply,
  RunDocument,
  RunEvent,
  RunSummary,
} from '@regulon/coordinator/runs';
import type { ReopenDocument } from '@regulon/shared/transparency';
import {
  actorHeadReply,
  entriesReply,
  modelSpecification,
  proposeReply,
  reopenReply,
  runDocument,
  runList,
} from './documents.js';
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

  /** The auditor's bundle (zip). */
  bundle(signal?: AbortSignal): Promise<Uint8Array> {
    return this.rest.bytes(`${V1}/log/export`, signal);
  }

  /** Weights of a model, float32 little-endian. */
  model(digest: string): Promise<Uint8Array> {
    return this.rest.bytes(`${V1}/models/${digest}`);
  }

  modelSpecification(digest: string): Promise<ModelSpecification> {
    return this.rest.get(`${V1}/models/${digest}/spec`, modelSpecification);
  }
}
