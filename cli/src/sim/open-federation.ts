import { chmodSync, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { BackendChoice } from '@regulon/client/training';
import { RegulonError } from '@regulon/shared/errors';
import type { Plan } from '@regulon/shared/plan';
import { SimFederation } from './federation.js';
import { type DataLayout, filesOf, simulatedLayout, type SiteFiles } from './layout.js';
import { freePorts } from './ports.js';
import { exampleFile } from './programs.js';

const FEDERATION_ID = 'fed_simulation';
/** Below, the policies and the roster must lower their least cohort. */
const USUAL_COHORT = 5;

/** What a simulated federation is opened for. */
export interface OpenOptions {
  /** temporary or named folder; readable by its owner only afterwards */
  readonly root: string;
  /** fixes sites, dataset and thresholds */
  readonly plan: Plan;
  /** real data, or null to simulate data that fit the plan */
  readonly layout: DataLayout | null;
  readonly backend: BackendChoice;
  readonly say: (text: string) => void;
}

/**
 * Prepare the data of every site, hold the ceremony and start the processes.
 *
 * @returns the running federation, and the files of each site in the order of the plan
 */
export async function openFederation(
  options: OpenOptions,
): Promise<{ federation: SimFederation; files: SiteFiles[] }> {
  const { root, plan, layout, backend, say } = options;
  verifyEmpty(root);
  mkdirSync(root, { recursive: true, mode: 0o700 });
  chmodSync(root, 0o700);
  say(
    layout ? `data: the files of ${plan.sites.length} sites as they lie` : 'simulating the data of the sites',
  );
  const files = filesOf(plan, layout ?? simulatedLayout(plan, join(root, 'data'), plan.seed)).map(absolute);
  const [controlPort = 0, bulkPort = 0, httpPort = 0] = await freePorts(3);
  const { gamma, nMin } = plan.secureAggregation;
  const { name: dataset, kind, scale, unit } = plan.dataset;
  const policyFile = exampleFile(
    nMin < USUAL_COHORT ? 'site-policy.small-public.yaml' : 'site-policy.public.yaml',
  );
  const isSimulated = layout === null;
  const federation = await SimFederation.start(
    {
      root,
      federationId: FEDERATION_ID,
      policy: { nMin, gamma },
      addresses: { host: '127.0.0.1', controlPort, bulkPort, httpPort },
      sites: files.map(({ name, ...data }) => ({
        name,
        org: `Organisation of ${name}`,
        policyFile,
        training: { backend },
        dataset: { name: dataset, kind, scale, unit, ...data, public: !isSimulated, simulated: isSimulated },
      })),
    },
    say,
  );
  return { federation, files };
}

/** A folder of somebody else would change its mode and get files that overwrite others. @throws E_ARGUMENT */
function verifyEmpty(root: string): void {
  if (!existsSync(root)) return;
  if (!statSync(root).isDirectory()) throw new RegulonError('E_ARGUMENT', `${root} is no folder`);
  if (readdirSync(root).length === 0) return;
  throw new RegulonError('E_ARGUMENT', `${root} is not empty`, {
    hint: 'choose an empty folder, or a new one',
  });
}

function absolute(files: SiteFiles): SiteFiles {
  const labels = files.labels === undefined ? {} : { labels: resolve(files.labels) };
  return { ...files, ...labels, counts: resolve(files.counts) };
}
