import { Body, Controller, Get, Inject, Param, Post, Req, Res } from '@nestjs/common';
import { hex } from '@regulon/shared/crypto';
import { digestText } from '@regulon/shared/transparency';
import { proposeBaseline, proposePruning } from '../audit/index.js';
import type { ServerResponse } from 'node:http';
import { Allow, AllowAll, type CalledRequest, callerOf, doerOf } from './access.guard.js';
import { appendEntries } from './append-entries.js';
import { sendPieces } from './send.js';
import { API_CONTEXT, type ApiContext } from './context.js';
import type { ActorHead, AttachmentsReply, EntriesReply, LogHead, PruneReply } from '../runs/index.js';
import {
  anchorSchema,
  attachmentsSchema,
  baselineSchema,
  bytesOf,
  parseBody,
  pruneSchema,
  reportSchema,
} from './requests.js';

/** The log: entries of people, attachments, the auditor's bundle. */
@Controller('api/v1/log')
export class LogController {
  constructor(@Inject(API_CONTEXT) private readonly context: ApiContext) {}

  @Get()
  @AllowAll()
  head(): LogHead {
    const { size, root, note } = this.context.sequencer.latest();
    const cosigned = this.context.sequencer.cosigned()?.size ?? null;
    return { size, root: digestText(root), note, cosigned };
  }

  @Get('export')
  @AllowAll()
  async export(@Req() request: CalledRequest, @Res() response: ServerResponse): Promise<void> {
    await this.context.settleLog();
    this.context.deeds.read(doerOf(callerOf(request)), 'log.export', 'log');
    await sendPieces(response, 'application/zip', this.context.sequencer.exportBundle());
  }

  @Post('entries')
  @Allow('researcher', 'steward')
  entries(@Body() body: unknown): Promise<EntriesReply> {
    return appendEntries(this.context, body);
  }

  /** A report on a state of the log was issued: the coordinator writes it down under the state that it is about. */
  @Post('reports')
  @Allow('auditor', 'operator')
  report(@Body() body: unknown): EntriesReply {
    const said = parseBody(reportSchema, body);
    return { indexes: [this.context.sequencer.appendOwn({ kind: 'report.issued', body: said }).index] };
  }

  /** Somebody outside dated a checkpoint. */
  @Post('anchors')
  @Allow('operator')
  async anchor(@Body() body: unknown): Promise<EntriesReply> {
    const { checkpoint, form, token: text } = parseBody(anchorSchema, body);
    const { sequencer } = this.context;
    const mediaType = form === 'rfc3161' ? 'application/timestamp-reply' : 'application/octet-stream';
    const token = await sequencer.putAttachment(bytesOf(text), mediaType);
    const own = { kind: 'anchor', body: { checkpoint, form, token } } as const;
    return { indexes: [sequencer.appendOwn(own).index] };
  }

  /** The first entries in short: sites that find the same sign it. */
  @Post('baselines')
  @Allow('operator')
  async baseline(@Body() body: unknown): Promise<EntriesReply> {
    const { entries } = parseBody(baselineSchema, body);
    const index = await proposeBaseline(this.context.sequencer, entries);
    await this.context.settleLog();
    return { indexes: [index] };
  }

  /** Remove the first entries, which have outlived their class: a baseline of theirs stays. */
  @Post('prunings')
  @Allow('operator')
  async prune(@Body() body: unknown): Promise<PruneReply> {
    const { below } = parseBody(pruneSchema, body);
    const { sequencer } = this.context;
    const proposed = proposePruning(sequencer.prunable, below, new Date());
    await this.context.settleLog();
    return { ...proposed, removed: sequencer.minimum >= proposed.size };
  }

  @Post('attachments')
  @Allow('researcher', 'steward')
  async attachments(@Body() body: unknown): Promise<AttachmentsReply> {
    const digests: string[] = [];
    for (const { bytes, mediaType } of parseBody(attachmentsSchema, body).attachments) {
      digests.push((await this.context.sequencer.putAttachment(bytesOf(bytes), mediaType)).digest);
    }
    return { digests };
  }

  /** Where the next entry of an actor stands: a person signs on top of it. */
  @Get('actors/:type/:id')
  @AllowAll()
  actor(@Param('type') type: string, @Param('id') id: string): ActorHead | Record<string, never> {
    const head = this.context.intake.headOf(type, id);
    return head ? { seq: head.seq, hash: hex(head.hash), at: head.at } : {};
  }
}
