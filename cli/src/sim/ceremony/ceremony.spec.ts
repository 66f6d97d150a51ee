import { siteUri } from '@regulon/coordinator/authority';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { fromHex } from '@regulon/shared/crypto';
import { rosterHashOf, type SignedRoster, verifyRoster } from '@regulon/shared/plan';
import { openEntry, parseQuorumPolicy } from '@regulon/shared/transparency';
import { exampleFile, programs } from '../programs.js';
import { simulateSites } from '../generate/index.js';
import { signRoster } from '../../enrolment/index.js';
import { holdCeremony } from './ceremony.js';

const names = ['site-1', 'site-2', 'site-3'];

async function found(root: string) {
  const data = simulateSites({ folder: join(root, 'data'), seed: 1, sites: names, genes: 30 });
  return holdCeremony({
    root: join(root, 'federation'),
    federationId: 'fed_test',
    policy: { nMin: 3, gamma: { num: 0, den: 1 } },
    addresses: { host: '127.0.0.1', controlPort: 1, bulkPort: 2, httpPort: 3 },
    sites: data.map(({ name, counts, labels = '' }) => ({
      name,
      org: `Organisation of ${name}`,
      policyFile: exampleFile('site-policy.small-public.yaml'),
      training: {},
      dataset: {
        name: 'd',
        kind: 'expression',
        scale: 'counts',
        unit: 'patient',
        counts,
        labels,
        public: false,
        simulated: true,
      },
    })),
  });
}

describe('the ceremony', () => {
  (existsSync(programs.daemon) ? it : it.skip)(
    'founds a federation whose roster, certificates, genesis and policy verify (needs the compiled daemon)',
    async () => {
      const root = mkdtempSync(join(tmpdir(), 'regulon-ceremony-'));
      const founded = await found(root);
      const at = (name: string): Buffer => readFileSync(join(founded.folder.federation, name));
      const signed = JSON.parse(at('roster.json').toString()) as SignedRoster;
      const roster = verifyRoster(signed, rosterHashOf(founded.roster));
      expect(signed.signatures).toHaveLength(3);
      expect(roster.admins).toHaveLength(5);
      const authority = new X509Certificate(at('ca.pem'));
      for (const member of roster.members) {
        const certificate = new X509Certificate(
          readFileSync(join(founded.folder.site(member.name), 'tls.cert.pem')),
        );
        expect(certificate.subjectAltName).toBe(`URI:${siteUri({ id: member.id, identityKey: member.key })}`);
        expect(certificate.verify(authority.publicKey)).toBe(true);
      }
      const { entry } = openEntry(Uint8Array.from(at('genesis.json')), undefined);
      expect(entry.sigs).toHaveLength(1 + names.length);
      expect(parseQuorumPolicy(at('quorum.policy').toString()).witnesses.map((w) => w.name)).toEqual(names);
      expect(statSync(founded.folder.root).mode & 0o777).toBe(0o700);
      expect(statSync(join(founded.folder.people, 'steward-site-1.key')).mode & 0o777).toBe(0o600);
      await expect(found(root)).rejects.toMatchObject({ code: 'E_ARGUMENT' });
      const impostor = { publicKey: fromHex(roster.coordinatorKey), seed: new Uint8Array(32) };
      expect(() => signRoster(roster, [impostor])).toThrow('not an administrator');
      rmSync(root, { recursive: true });
    },
  );
});
