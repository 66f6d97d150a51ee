import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { admit, proposeJoin } from '../enrolment/index.js';
import { openChange } from '../enrolment/founding.js';
import { writePrivate } from '../enrolment/public-files.js';
import { Walk } from '../enrolment/walk.support.js';
import { run } from './run-program.support.js';

let root: string;
let walk: Walk;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'regulon-fed-command-'));
  walk = new Walk(root);
});
afterAll(() => rmSync(root, { recursive: true }));

const words = (text: string): unknown => expect.stringContaining(text);
const file = (name: string): string => join(root, name);
const table = ['--format', 'table'];

describe('regulon fed create', () => {
  it.each([
    ['--host: neither a host name nor an address', ['--host', 'https://coordinator.example']],
    ['--host: neither a host name nor an address', ['--host', 'coordinator.example:7001']],
    ['--host: neither a host name nor an address', ['--host', 'no such host']],
    ['--host: neither a host name nor an address', ['--host', '300.1.1.1']],
    ['certificates carry it as xn--mnchen-3ya.example', ['--host', 'münchen.example']],
    ['--control-port and --bulk-port: both are 7001', ['--bulk-port', '7001']],
    ['--bulk-port and --http-port: both are 7002', ['--http-port', '7002']],
    ['--min-sites 3 and --gamma 1/3 cannot hold together', ['--min-sites', '3']],
    ['--min-sites 5 and --gamma 4/5 cannot hold together', ['--gamma', '4/5']],
    ['--gamma: 3/3 is no share below 1', ['--gamma', '3/3']],
    ['--gamma: needs a share of two whole numbers', ['--gamma', '0.33']],
    ['--retention: one class is named twice', ['--retention', 'a=1', '--retention', 'a=2']],
    ['--person: one id is named twice', people('r-1', 'r-1')],
  ])('refuses before anything is written: %s', async (said, options) => {
    const folder = join(root, 'none');
    const host = options.includes('--host') ? [] : ['--host', 'coordinator.example'];
    const refused = await run('fed', 'create', folder, '--id', 'fed_walk', ...host, ...options, ...table);
    expect(refused).toMatchObject({ code: 4, out: '', err: words(said) });
    expect(existsSync(folder)).toBe(false);
  });

  it.each(['coordinator.example', 'localhost', 'a-1.b2.example', '192.0.2.7', '2001:db8::7'])(
    'takes %s',
    async (host) => {
      const folder = join(root, `takes-${host.replaceAll(':', '')}`);
      expect(await run('fed', 'create', folder, '--id', 'fed_walk', '--host', host)).toMatchObject({
        code: 0,
      });
    },
  );
});

function people(...ids: readonly string[]): string[] {
  return ids.flatMap((id, i) => ['--person', `researcher:${id}=${String(i).repeat(64)}`]);
}

describe('an invitation', () => {
  const founder = (): string => join(root, 'inviting');
  const invite = (site: string, out: string): ReturnType<typeof run> =>
    run('fed', 'invite', founder(), '--site', site, '--org', 'North Hospital', '--out', out, ...table);
  const joinBy = (invitation: string, out: string): ReturnType<typeof run> =>
    run('site', 'join', join(root, 'joining'), '--invitation', invitation, '--out', out, ...table);
  beforeAll(() => run('fed', 'create', founder(), '--id', 'fed_walk', '--host', 'localhost'));

  it('that cannot be written is none: nobody was invited, and the same command works elsewhere', async () => {
    const nowhere = join(root, 'no-such-folder', 'a.json');
    expect(await invite('north', nowhere)).toMatchObject({
      code: 4,
      err: words(`${nowhere} cannot be written`),
    });
    expect(await run('fed', 'members', founder(), '--format', 'json')).toMatchObject({
      out: words('"data":[]'),
    });
  });

  it('is shown with what the hospital types, which needs nothing but its own folder', async () => {
    const { code, out } = await invite('north', file("north's invitation.json"));
    expect(code).toBe(0);
    expect(out).toContain(
      `\n  regulon site join /srv/regulon --invitation 'north'\\''s invitation.json' --out north.request.json\n`,
    );
  });

  it('that others can read is refused, with what to do, before a key is made', async () => {
    const invitation = file("north's invitation.json");
    chmodSync(invitation, 0o644);
    expect(await joinBy(invitation, file('request.json'))).toMatchObject({
      code: 4,
      err: words(`open to others (mode 0644)\nnext: chmod 600 `),
    });
    expect(existsSync(join(root, 'joining'))).toBe(false);
    chmodSync(invitation, 0o600);
  });

  it('makes no keys when the request cannot be written; then the same command works elsewhere', async () => {
    const invitation = file("north's invitation.json");
    expect(await joinBy(invitation, join(root, 'no-such-folder', 'a.json'))).toMatchObject({ code: 4 });
    expect(existsSync(join(root, 'joining'))).toBe(false);
    expect(await joinBy(invitation, file('request.json'))).toMatchObject({ code: 0 });
  });
});

describe('regulon fed collect, before all have signed', () => {
  it('says that nothing can be installed yet, who still signs, and a site is told what it was given', async () => {
    const change = await walk.propose();
    writePrivate(file('north.signed.json'), walk.sign('north', change));
    const collected = await run(
      ...['fed', 'collect', walk.founder.root, file('north.signed.json'), '--out', file('federation.json')],
      ...table,
    );
    expect(collected).toMatchObject({
      code: 0,
      out: expect.stringMatching(
        /nothing can be installed yet: 1 more of the administrators must sign[^]*\n {2}regulon site sign federation.json --folder \/srv\/regulon\n/,
      ),
    });
    const folder = walk.site('north').root;
    expect(await run('site', 'install', file('federation.json'), '--folder', folder)).toMatchObject({
      code: 1,
      err: words('schema: this is regulon.roster-change/1, needed is regulon.federation/1'),
    });
  });

  it('counts the sites, when the first entry of the log is due', async () => {
    writePrivate(file('east.signed.json'), walk.sign('east', openChange(walk.founder)));
    const change = walk.signed();
    writePrivate(file('north.signed.json'), walk.sign('north', change));
    const { out } = await run(
      ...[
        'fed',
        'collect',
        walk.founder.root,
        file('north.signed.json'),
        '--out',
        file('next.json'),
        ...table,
      ],
    );
    expect(out).toContain('nothing can be installed yet: 2 more of the sites must sign');
  });
});

describe('regulon site install, for a site that joins later', () => {
  it('shows with --dry-run the roster and the digest that is to be named; then nothing is left to read', async () => {
    const federation = await walk.foundFrom();
    writePrivate(file('federation.json'), federation);
    const install = ['site', 'install', file('federation.json'), '--dry-run', ...table, '--folder'];
    expect(await run(...install, walk.site('north').root)).toMatchObject({
      code: 0,
      out: words('roster version 1: this site has signed it before'),
    });
    admit(walk.founder, await walk.join('west'), walk.now);
    proposeJoin(walk.founder, 'west', { now: walk.now });
    const { code, out } = await run(...install, walk.site('west').root);
    expect(code).toBe(0);
    expect(out).toMatch(/members:\n[\s\S]*digest {2}sha256:[0-9a-f]{64}\n$/);
  });
});
