import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { RegulonError } from '@regulon/shared/errors';
import { readJsonFile, writeWhole } from '../files/index.js';
import type { Context } from './context.js';

/** The session of this user, as `regulon login` keeps it. */
const sessionSchema = z.strictObject({
  schema: z.literal('regulon.session/1'),
  /** the coordinator that began it; nobody else is shown its token */
  server: z.string(),
  token: z.string().regex(/^[\x21-\x7e]{1,1000}$/),
});
export type OwnSession = z.infer<typeof sessionSchema>;

/** Where `regulon login` keeps the session of this user. */
export function sessionFile({ env }: Context): string {
  return join(env['XDG_CONFIG_HOME'] ?? join(env['HOME'] ?? homedir(), '.config'), 'regulon', 'session.json');
}

/** The session of this user, undefined while nobody is logged in. @throws E_CONFIG when the file is none */
export function ownSession(context: Context): OwnSession | undefined {
  const file = sessionFile(context);
  return existsSync(file) ? readJsonFile(file, sessionSchema, 'E_CONFIG') : undefined;
}

/** Keep a session, for this user alone. @returns the file */
export function keepSession(context: Context, server: string, token: string): string {
  const file = sessionFile(context);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const session: OwnSession = { schema: 'regulon.session/1', server, token };
  writeWhole(file, `${JSON.stringify(session)}\n`, 0o600);
  return file;
}

/** Forget the session of this user. */
export function forgetSession(context: Context): void {
  rmSync(sessionFile(context), { force: true });
}

/** @throws E_ARGUMENT when a session began at another coordinator than the one that is named now */
export function verifySessionOf(session: OwnSession, server: string): void {
  if (new URL(server).href === new URL(session.server).href) return;
  throw new RegulonError(
    'E_ARGUMENT',
    `the session was begun at ${session.server}; its token is not sent to ${server}`,
    { hint: `log in there (\`regulon login --server ${server}\`), or name ${session.server}` },
  );
}
