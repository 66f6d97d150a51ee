import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { stringify } from 'yaml';
import { done, EnrolmentWalk, regulon } from '../support/enrolled-federation.js';
import { compiled } from '../support/real-federation.js';

const MINUTES = 60_000;

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'regulon-enrolment-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const real = compiled ? it : it.skip;

/** Every file below a folder that holds a private key. */
function secretsOf(folder: string): string[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name));
  return files.filter((path) => path.endsWith('.key') || path.endsWith('.key.pem') || path.endsWith('token'));
}

/** What a builder states of what it built. */
const builtCode = (sha256: string): string =>
  JSON.stringify({
    ...{ _type: 'https://in-toto.io/Statement/v1', predicateType: 'https://slsa.dev/provenance/v1' },
    subject: [{ name: 'regulon', digest: { sha256 } }],
    predicate: { runDetails: { builder: { id: 'https://builder.example/one' } } },
  });

describe('a federation of people and hospitals', () => {
  real(
    'is founded by files, runs a plan that its stewards approved, and leaves a log that verifies (needs the compiled programs)',
    async () => {
      const walk = new EnrolmentWalk(root);
      const federation = await walk.found();
      await walk.install(federation);
      expect(await done('fed', 'members', walk.founder)).toEqual(
        walk.sites.map((site) => expect.objectContaining({ site, state: 'member' })),
      );
      const policyFile = join(walk.site('north'), 'policy.yaml');
      const rules = readFileSync(policyFile, 'utf8');
      const withPapers = (vote: string): void => {
        const references = [{ kind: 'ethics', reference: vote }];
        writeFileSync(
          policyFile,
          rules + stringify({ legalBasis: 'gdpr-9-2-j', validUntil: '2098-12-31', references }),
        );
      };
      withPapers('vote 12/2026');
      const supervisor = await walk.start();
      try {
        const health = await done('doctor', '--config', walk.config('north'));
        expect(health['rows']).not.toContainEqual(expect.objectContaining({ status: 'failed' }));
        withPapers('vote on patient 20261234');
        const named = await regulon('site', 'policy', 'set', '--config', walk.config('north'), '--dry-run');
        expect(named.code).toBe(1);
        expect(named.err).toMatch(/policy\.set: reference holds a long number/);
        expect(named.err).not.toContain('20261234');
        withPapers('vote 12/2026');
        for (const site of walk.sites) await walk.steward(site, 'policy', 'set');
        expect(await done('site', 'policy', 'show', '--config', walk.config('north'))).toMatchObject({
          policy: { legalBasis: 'gdpr-9-2-j', validUntil: '2099-01-01T00:00:00.000Z', supersedes: null },
        });
        const guest = join(root, 'r-7.key');
        const { key } = await done('fed', 'key', guest);
        const role = ['--role', 'researcher', '--public-key', String(key), '--until', '2099-12-31'];
        await walk.steward('north', 'grant', 'r-7', ...role);
        const planFile = join(root, 'plan.yaml');
        writeFileSync(planFile, stringify(walk.plan));
        const provenance = join(root, 'provenance.json');
        const submit = [
          ...['run', 'submit', planFile, '--key', guest, '--as', 'r-7', '--yes', ...walk.researcher],
          ...['--provenance', provenance],
        ];
        writeFileSync(provenance, builtCode('0'.repeat(64)));
        const { code, err } = await regulon(...submit);
        expect([code, err]).toEqual([4, expect.stringMatching(/the provenance is of other software/)]);
        const sha256 = /subject sha256:([0-9a-f]{64})/.exec(err)?.[1];
        writeFileSync(provenance, builtCode(String(sha256)));
        const { run } = await done(...submit);
        for (const site of walk.sites) {
          const inbox = await done('site', 'inbox', '--config', walk.config(site));
          expect(inbox).toEqual([expect.objectContaining({ plan: 'enrolled', state: 'waits' })]);
          const asks = site === 'north' ? ['--condition', 'no names in the publication'] : [];
          await walk.steward(site, 'approve', 'enrolled', ...asks);
        }
        const after = await done('run', 'watch', String(run), ...walk.researcher);
        expect(after).toMatchObject({ status: 'COMPLETED' });
        const bundle = join(root, 'bundle.zip');
        await done('audit', 'export', '--out', bundle, ...walk.researcher);
        const policy = join(walk.site('north'), 'federation', 'quorum.policy');
        const report = await done('audit', 'verify', '--bundle', bundle, '--policy', policy);
        expect(report).toMatchObject({ status: 'pass' });
        await done('audit', 'record', bundle, '--bundle', bundle, '--yes', ...walk.researcher);
        await walk.steward('north', 'ungrant', 'r-7', '--role', 'researcher', '--reason', 'left');
        const again = ['run', 'submit', planFile, '--key', guest, '--as', 'r-7', '--yes', ...walk.researcher];
        expect((await regulon(...again)).code).toBe(1);
        await done('audit', 'export', '--out', bundle, '--force', ...walk.researcher);
        const later = await done('audit', 'verify', '--bundle', bundle, '--policy', policy);
        expect(later).toMatchObject({ status: 'pass' });
        const page = join(root, 'report.html');
        await done('audit', 'report', '--bundle', bundle, '--policy', policy, '--out', page);
        expect(readFileSync(page, 'utf8')).toMatch(
          /gdpr-9-2-j.*builder\.example.*1 to an approval in policies/su,
        );
        await walk.renew('north');
        await walk.restart(supervisor, 'north');
        expect(await done('site', 'inbox', '--config', walk.config('north'))).toEqual([
          expect.objectContaining({ plan: 'enrolled', state: 'approved' }),
        ]);
      } finally {
        await supervisor.stopAll();
      }
      const secrets = [walk.founder, ...walk.sites.map((site) => walk.site(site))].flatMap(secretsOf);
      expect(secrets.map((path) => statSync(path).mode & 0o777)).toEqual(secrets.map(() => 0o600));
      const mail = readdirSync(walk.mail)
        .map((name) => readFileSync(walk.letter(name), 'utf8'))
        .join('\n');
      for (const path of secrets) expect(mail).not.toContain(readFileSync(path, 'utf8').trim());
    },
    20 * MINUTES,
  );
});
