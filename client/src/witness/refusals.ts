import { hex, utf8 } from '@regulon/shared/crypto';
import {
  attachmentOf,
  attachmentsOf,
  type BodyOf,
  type Checkpoint,
  digestText,
  MediaType,
  parseEntry,
} from '@regulon/shared/transparency';
import type { Outbox, SiteState } from '../state/index.js';
import type { CompactTree } from './compact-tree.js';

/**
 * Checkpoints that this site refuses. One that does not follow on what it has seen becomes an entry `witness.refusal`,
 * once, with both notes, in one transaction with its place in the outbox.
 */
export class Refusals {
  constructor(
    private readonly state: SiteState,
    private readonly outbox: Outbox,
    private readonly origin: string,
  ) {}

  /** Keep a note that cannot be followed, beside the root of what this site has followed. */
  keep({ size }: Checkpoint, note: string, { root }: Checkpoint): void {
    this.state.set(`fork:${size}`, JSON.stringify({ note, root: hex(root) }));
  }

  /**
   * Tell the log of a note that forks it.
   *
   * @param shown tree over the entries that the coordinator showed for it, when they reached its size
   */
  tell(code: string, { size }: Checkpoint, offered: string, shown: CompactTree | undefined): void {
    const key = `refused:${size}`;
    if (this.state.get(key) === offered) return;
    const held = this.heldNote();
    const body: BodyOf<'witness.refusal'> = {
      code,
      held: held === undefined ? null : attachmentOf(utf8(held), MediaType.text),
      offered: attachmentOf(utf8(offered), MediaType.text),
      shown: shown === undefined ? null : { size: shown.size, root: digestText(shown.root()) },
    };
    this.state.transact('refusal', () => {
      this.state.set(key, offered);
      for (const note of [held, offered])
        if (note !== undefined) this.state.set(keyOf(attachmentOf(utf8(note), MediaType.text).digest), note);
      this.outbox.append('witness.refusal', {}, body);
    });
  }

  /** Notes that an entry of this site refers to. @param entry bytes */
  attachmentsOf(entry: Uint8Array): Uint8Array[] {
    return attachmentsOf(parseEntry(entry)).flatMap(({ digest }) => {
      const note = this.state.get(keyOf(digest));
      return note === undefined ? [] : [utf8(note)];
    });
  }

  /** The note of the last checkpoint that this site followed. */
  private heldNote(): string | undefined {
    const row = this.state.db.prepare('SELECT note FROM witness WHERE origin = ?').get(this.origin) as
      { note: string } | undefined;
    return row?.note;
  }
}

const keyOf = (digest: string): string => `note:${digest}`;
