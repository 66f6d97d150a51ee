import { createHash, randomBytes } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { RegulonError } from '@regulon/shared/errors';
import { readJsonFile, writeWhole } from '../files/index.js';

const keptSchema = z.strictObject({
  schema: z.literal('regulon.proposal/1'),
  planHash: z.string(),
  /** the signed entry and what it refers to, as the coordinator takes them */
  request: z.strictObject({ entry: z.base64(), plan: z.unknown(), attachments: z.array(z.base64()) }),
  /** the coordinator's answer, once it came */
  reply: z.strictObject({ run: z.string(), index: z.number() }).nullable(),
});

/** A signed proposal as it lies on disk: written before it is sent, so that a repetition sends the same bytes. */
export type KeptProposal = z.infer<typeof keptSchema>;

/**
 * The file of an idempotency key; one a federation's log, person and key.
 *
 * @throws E_ARGUMENT when the key is no short text
 */
export function proposalFile(
  name: { idempotencyKey: string; origin: string; actor: string },
  environment: Readonly<Record<string, string | undefined>>,
): string {
  const { idempotencyKey, origin, actor } = name;
  if (!/^[\x21-\x7e]{1,200}$/.test(idempotencyKey)) {
    throw new RegulonError('E_ARGUMENT', '--idempotency-key: needs 1 to 200 visible ASCII characters', {
      hint: 'use a fresh UUID for each proposal that you mean',
    });
  }
  // a variable that is set but empty counts as not set (XDG base directories)
  const home = environment['XDG_STATE_HOME'] || join(environment['HOME'] || homedir(), '.local', 'state');
  const digest = createHash('sha256').update(`${origin}\0${actor}\0${idempotencyKey}`).digest('hex');
  return join(home, 'regulon', 'proposals', `${digest}.json`);
}

/** What was proposed under a key, or null. @throws E_ARGUMENT when the file was changed by somebody else */
export function keptProposal(file: string | null): KeptProposal | null {
  return file !== null && existsSync(file) ? readJsonFile(file, keptSchema, 'E_ARGUMENT') : null;
}

/**
 * Keep a proposal unless one is kept already: of two processes with one key, both send what the first signed.
 *
 * @returns what is kept now
 */
export function keepProposal(file: string, proposal: KeptProposal): KeptProposal {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const temporary = `${file}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    writeFileSync(temporary, JSON.stringify(proposal), { flag: 'wx', mode: 0o600, flush: true });
    linkSync(temporary, file);
    return proposal;
  } catch (error) {
    const kept = keptProposal(file);
    if (kept) return kept;
    throw error;
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** Keep the coordinator's answer. */
export function settleProposal(file: string, proposal: KeptProposal): void {
  writeWhole(file, JSON.stringify(proposal), 0o600);
}

/** Forget a proposal of which it is certain that it never arrived. */
export function forgetProposal(file: string): void {
  rmSync(file, { force: true });
}
