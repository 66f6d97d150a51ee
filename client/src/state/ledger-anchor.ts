import { closeSync, existsSync, fdatasyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { hex } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { FIRST_LINK, type LedgerHead } from '@regulon/shared/privacy';
import { guarded } from './database.js';

const EMPTY: LedgerHead = { size: 0, hash: hex(FIRST_LINK) };
/** size, then the link in hexadecimal: always as many bytes, written at once */
const FORM = /^(\d{16}) ([0-9a-f]{64})\n$/;

/** Where the ledger stood last, in a file outside the database and its backups. */
export class LedgerAnchor {
  private constructor(
    private readonly path: string,
    private known: LedgerHead,
  ) {}

  /** @param folder the anchor folder of the state. @throws E_LEDGER when the file is damaged */
  static open(folder: string): LedgerAnchor {
    const path = join(folder, 'ledger-head');
    return new LedgerAnchor(path, readHead(path));
  }

  get head(): LedgerHead {
    return this.known;
  }

  /** Follow the ledger; durable on return. @throws E_DISK_FULL */
  write(head: LedgerHead): void {
    if (head.size === this.known.size && existsSync(this.path)) return;
    guarded('ledger head', () => {
      const file = openSync(this.path, existsSync(this.path) ? 'r+' : 'w', 0o600);
      try {
        writeSync(file, `${String(head.size).padStart(16, '0')} ${head.hash}\n`, 0);
        fdatasyncSync(file);
      } finally {
        closeSync(file);
      }
    });
    this.known = head;
  }
}

/** The head in a file; that of an empty ledger where there is none. @throws E_LEDGER */
export function readHead(path: string): LedgerHead {
  if (!existsSync(path)) return EMPTY;
  const match = FORM.exec(readFileSync(path, 'utf8'));
  if (!match) throw new RegulonError('E_LEDGER', 'the head of the privacy ledger is damaged');
  return { size: Number(match[1]), hash: match[2] ?? '' };
}
