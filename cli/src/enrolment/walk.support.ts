import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { exampleFile } from '../sim/programs.js';
import type { FederationFile } from './federation-file.js';
import { admit, createFederation, invite } from './founder.js';
import { FounderFolder, type Terms } from './founder-folder.js';
import { collect, found, openChange, proposeFounding } from './founding.js';
import { installSite } from './install-site.js';
import type { Invitation } from './invitation.js';
import type { JoinRequest } from './join-request.js';
import { joinSite } from './join-site.js';
import type { RosterChange } from './roster-change.js';
import { writePrivate } from './public-files.js';
import { dueSignature } from './sign-change.js';
import { SiteFolder } from './site-folder.js';

export const NAMES = ['east', 'north', 'south'] as const;
export const DAY_MS = 86_400_000;

export const terms: Terms = {
  schema: 'regulon.federation-terms/1',
  federationId: 'fed_walk',
  coordinator: { host: '127.0.0.1', controlPort: 1, bulkPort: 2, httpPort: 3 },
  policy: { nMin: 3, gamma: { num: 0, den: 1 } },
  k: null,
  certificateDays: 30,
  people: [],
};

/** A founder and three sites in folders of this process, for specs. */
export class Walk {
  readonly founder: FounderFolder;
  readonly now = new Date();

  constructor(readonly root: string) {
    this.founder = new FounderFolder(join(root, 'founder'));
  }

  site(name: string): SiteFolder {
    return new SiteFolder(join(this.root, name));
  }

  create(change: Partial<Terms> = {}): Promise<void> {
    return createFederation(this.founder, { ...terms, ...change });
  }

  invite(site: string, now = this.now, org = `Hospital ${site}`): Invitation {
    return invite(this.founder, { site, org }, 7, now);
  }

  join(site: string, now = this.now, org?: string): Promise<JoinRequest> {
    return joinSite(this.site(site), this.invite(site, this.now, org), now);
  }

  /** Every site has joined; nobody has signed. */
  async propose(): Promise<RosterChange> {
    await this.create();
    for (const name of NAMES) admit(this.founder, await this.join(name), this.now);
    return proposeFounding(this.founder, this.now);
  }

  sign(site: string, change: RosterChange): RosterChange {
    return dueSignature(this.site(site), change, undefined, this.now.getTime()).sign();
  }

  collect(changes: readonly RosterChange[]): RosterChange {
    const taken = changes.map((change) => collect(this.founder, change, 'a file', this.now));
    return taken.at(-1)!;
  }

  /** The request of a site, as the founder keeps it. */
  request(site: string): JoinRequest {
    return JSON.parse(readFileSync(join(this.founder.requests, `${site}.json`), 'utf8')) as JoinRequest;
  }

  /** Two of three administrators have signed; the first entry of the log is drafted. */
  signed(): RosterChange {
    const change = openChange(this.founder);
    return this.collect([this.sign('east', change), this.sign('north', change)]);
  }

  /** The federation stands, from its first step. */
  async found(): Promise<FederationFile> {
    await this.propose();
    return this.foundFrom();
  }

  /** The federation stands, from the roster that was proposed. */
  async foundFrom(): Promise<FederationFile> {
    const change = this.signed();
    const whole = this.collect(NAMES.map((name) => this.sign(name, change)));
    return found(this.founder, whole);
  }

  /** As if the site had installed a later version. */
  pin(site: string, version: number): void {
    const { recordFile } = this.site(site);
    writePrivate(recordFile, { ...this.site(site).record(), pinned: { version, hash: '00'.repeat(32) } });
  }

  install(site: string, file: FederationFile, now = this.now.getTime()): void {
    const dataset = join(this.root, 'dataset.yaml');
    mkdirSync(this.root, { recursive: true });
    writeFileSync(
      dataset,
      stringify({
        name: 'd',
        kind: 'expression',
        scale: 'counts',
        unit: 'patient',
        counts: '/data/counts.tsv',
      }),
    );
    const policyFile = exampleFile('site-policy.small-public.yaml');
    installSite(this.site(site), file, { datasetFile: dataset, policyFile, backend: 'wasm' }, now);
  }
}
