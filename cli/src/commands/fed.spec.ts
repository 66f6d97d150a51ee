import { mkdtempSync, rmSync } from 'node:fs';
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
      out: words('nothing can be installed yet: 1 more of the administrators must sign'),
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
