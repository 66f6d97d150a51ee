import { resolve } from 'node:path';
import type { Command } from 'commander';
import { untilText } from '@regulon/shared/plan';
import { fingerprint, FounderFolder, InvitationBook, rosterChainOf } from '../enrolment/index.js';
import { tableLines } from '../output/index.js';
import { type Context, handles } from './context.js';

interface MemberRow {
  readonly site: string;
  readonly org: string;
  readonly state: 'invited' | 'invitation expired' | 'asked to join' | 'member' | 'former member';
  readonly until: string;
  readonly key: string | null;
}

/** `regulon fed members`: who was invited, who asked, who is in. */
export function membersCommand(fed: Command, context: Context): void {
  const command = fed
    .command('members')
    .description('who was invited, who asked to join, who is a member')
    .argument('<folder>', 'of the founder');
  handles(command, context, async ([folder = '']) => {
    const rows = rowsOf(new FounderFolder(resolve(folder)), Date.now());
    const columns = [
      { title: 'site', value: (row: MemberRow) => row.site },
      { title: 'organisation', value: (row: MemberRow) => row.org },
      { title: 'state', value: (row: MemberRow) => row.state },
      { title: 'until', value: (row: MemberRow) => untilText(row.until) },
      { title: 'identity key', value: (row: MemberRow) => (row.key === null ? null : fingerprint(row.key)) },
    ];
    return { data: rows, rows, lines: tableLines(columns, rows) };
  });
}

function rowsOf(folder: FounderFolder, now: number): MemberRow[] {
  folder.terms();
  const rosters = folder.stands ? rosterChainOf(folder).rosters : [];
  const members = rosters.at(-1)?.members ?? [];
  const former = rosters
    .flatMap((before) => before.members)
    .filter(({ id }) => !members.some((m) => m.id === id));
  const left = new Map(former.map((member) => [member.name, member]));
  const inside = members.map(({ name, org, validTo, key }): MemberRow => ({
    site: name,
    org,
    state: 'member',
    until: validTo,
    key,
  }));
  const asked = new InvitationBook(folder.bookFile).rows().flatMap(({ invitation, usedAt }): MemberRow[] => {
    const { site, org, expiresAt } = invitation;
    if (left.has(site) || members.some(({ name }) => name === site)) return [];
    const isOver = now >= Date.parse(expiresAt);
    const state = usedAt !== null ? 'asked to join' : isOver ? 'invitation expired' : 'invited';
    return [{ site, org, state, until: expiresAt, key: null }];
  });
  const gone = [...left.values()].map(({ name, org, validTo, key }): MemberRow => ({
    ...{ site: name, org, state: 'former member', until: validTo, key },
  }));
  return [...inside, ...gone, ...asked];
}
