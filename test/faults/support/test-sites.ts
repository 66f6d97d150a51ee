import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { publicKeyOf, rootOfBytes } from '@regulon/shared/crypto';
import type { Member } from '@regulon/coordinator/transport';
import { CoordinatorConnection, type ConnectionOptions, type UploadJob } from '@regulon/client/transport';
import { type Material, TestAuthority } from '../../support/transport/certificates.js';
import {
  CTX,
  H2,
  membersOf,
  ROSTER_HASH,
  RUN,
  STATEMENT_SEED,
} from '../../support/transport/fake-coordinator.js';

/** Where a coordinator, or a proxy before it, listens. */
export interface Ports {
  readonly control: number;
  readonly bulk: number;
}

/** The certificates of a test federation, and connections of its sites. */
export class TestSites {
  readonly members: readonly Member[];
  private readonly open: CoordinatorConnection[] = [];

  private constructor(
    count: number,
    readonly authority: TestAuthority,
    readonly server: Material,
  ) {
    this.members = membersOf(count);
  }

  static async make(count: number): Promise<TestSites> {
    const authority = await TestAuthority.make();
    return new TestSites(count, authority, await authority.coordinator());
  }

  /** @param site its roster id, from 1 */
  certificate(site: number): Promise<Material> {
    const member = this.members[site - 1];
    if (!member) throw new Error(`no site ${site}`);
    return this.authority.site(site, member.key);
  }

  async connect(
    site: number,
    ports: Ports,
    change: Partial<ConnectionOptions> = {},
  ): Promise<CoordinatorConnection> {
    const link = new CoordinatorConnection({
      host: '127.0.0.1',
      controlPort: ports.control,
      bulkPort: ports.bulk,
      tls: await this.certificate(site),
      site,
      coordinatorKey: publicKeyOf(STATEMENT_SEED),
      rosterHash: ROSTER_HASH,
      daemonVersion: 'test',
      ...change,
    });
    this.open.push(link);
    return link;
  }

  async disconnect(): Promise<void> {
    await Promise.all(this.open.splice(0).map((link) => link.close()));
  }
}

/** Store a masked vector as a daemon does. @returns the job that uploads it */
export async function storedUpload(folder: string, site: number, bytes: Uint8Array): Promise<UploadJob> {
  const path = join(folder, `masked-${site}.bin`);
  await writeFile(path, bytes);
  return { run: RUN, round: 3, attempt: 0, ctx: CTX, h2: H2, path, commit: rootOfBytes(bytes) };
}
