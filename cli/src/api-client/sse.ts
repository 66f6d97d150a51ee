import { RegulonError } from '@regulon/shared/errors';

/** One event of a `text/event-stream`. */
export interface ServerSentEvent {
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

/** Most characters of one event: a coordinator that never ends an event must not fill our memory. */
const MAX_EVENT = 1 << 20;

/**
 * Parse a stream of server-sent events.
 *
 * @throws E_MESSAGE when an event does not end
 * @see WHATWG HTML, Server-sent events, 9.2.6
 */
export async function* serverSentEvents(body: AsyncIterable<Uint8Array>): AsyncGenerator<ServerSentEvent> {
  const decoder = new TextDecoder();
  let buffer = '';
  for await (const chunk of body) {
    buffer += decoder.decode(chunk, { stream: true });
    const blocks = buffer.split(/\r?\n\r?\n/);
    buffer = blocks.pop() ?? '';
    if (buffer.length > MAX_EVENT)
      throw new RegulonError('E_MESSAGE', 'an event of the coordinator does not end');
    for (const block of blocks) {
      const event = eventOf(block);
      if (event) yield event;
    }
  }
}

function eventOf(block: string): ServerSentEvent | null {
  const data: string[] = [];
  let [id, event] = ['', 'message'];
  for (const line of block.split(/\r?\n/)) {
    const [, field = '', value = ''] = /^([^:]*):? ?(.*)$/.exec(line) ?? [];
    if (field === 'data') data.push(value);
    else if (field === 'id') id = value;
    else if (field === 'event') event = value;
  }
  return data.length === 0 ? null : { id, event, data: data.join('\n') };
}
