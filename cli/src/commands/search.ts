import type { Command } from 'commander';
import type { RunDocument, RunEvent } from '@regulon/coordinator/runs';
import type { CoordinatorApi } from '../api-client/index.js';
import { Person } from '../enrolment/index.js';
import { type CommandResult, Exit, type Output } from '../output/index.js';
import { proposeOnce } from '../proposals/index.js';
import {
  type DeclaredSearch,
  outcomeJson,
  outcomeLines,
  readSearch,
  type Runs,
  runSearch,
} from '../search/index.js';
import { followRun, isFinal } from '../sim/index.js';
import { apiFor, connects, federationFor } from './connection.js';
import { confirm, type Context, handles } from './context.js';
import { progressBar } from './progress-bar.js';
import { sampleScorer } from './search-score.js';
import {
  keyFileOf,
  placeOf,
  proposalFor,
  proposesWithProvenance,
  type ProposeOptions,
  provenanceIn,
  type ProvenanceOptions,
} from './proposing.js';
import { untilDetached } from './watch.js';

/** `regulon run search`: runs over settings of a plan, and a last one of the best. */
export function searchCommand(run: Command, context: Context): void {
  const command = proposesWithProvenance(
    connects(
      run
        .command('search')
        .description(
          'try settings of a plan, a run each, then train the best and test it once; repeat it to go on',
        )
        .argument('<search>', 'search file, YAML or JSON'),
    ),
  );
  handles<ProvenanceOptions>(
    command,
    context,
    async ([file = ''], options, output) => search(await readSearch(file), options, { context, output }),
    'federation',
  );
}

interface Place {
  readonly context: Context;
  readonly output: Output;
}

async function search(
  declared: DeclaredSearch,
  options: ProvenanceOptions,
  place: Place,
): Promise<CommandResult & { exitCode?: number }> {
  const { search: of, digest, mostEpsilon } = declared;
  const { context, output } = place;
  const budget = budgetOf(declared);
  const provenance = provenanceIn(options);
  const about = { search: of.name, digest, mostRuns: mostRuns(declared), mostEpsilon };
  if (options.dryRun) return { data: about, lines: budget };
  const { api, propose } = proposer({ digest, provenance }, options, context);
  budget.forEach((line) => output.progress(line));
  await confirm(context, options, `propose up to ${about.mostRuns} runs, one after the other?`);
  const found = await untilDetached(async (signal) => {
    const carryOut: Runs['carryOut'] = async (trial, label) =>
      follow(api, { run: await propose(trial, label), label }, { ...place, signal });
    const score = of.validation && { score: sampleScorer(declared.file, of.validation, api) };
    const say = (text: string): void => output.progress(text);
    return runSearch(declared.text, of, { carryOut, say, ...score }).catch((error: unknown) => {
      if (signal.aborted) return null;
      throw error;
    });
  });
  if (!found) {
    output.progress('detached; the run goes on, and the same command goes on with the search');
    return { data: { ...about, detached: true }, rows: [], lines: [], exitCode: Exit.done };
  }
  const { trials, chosen } = found;
  return {
    data: outcomeJson(declared, found),
    rows: trials,
    lines: outcomeLines(declared, found),
    partial: chosen.status === 'COMPLETED_PARTIAL',
  };
}

/** Trials, and the run of the chosen settings where trials test nothing. */
const mostRuns = ({ search, mostEpsilon }: DeclaredSearch): number =>
  search.runs + (mostEpsilon === null ? 1 : 0);

/** What a search may cost, before anything starts. */
function budgetOf({
  search: { name, runs },
  plan: { sites, privacy },
  digest,
  mostEpsilon,
}: DeclaredSearch): string[] {
  const what = `search ${name}, ${digest}: at most ${runs} trials`;
  if (mostEpsilon === null || !privacy)
    return [
      `${what} and one run of the best, each at ${sites.length} sites`,
      `none of the ${runs + 1} runs is differentially private: each tells its sums and its model`,
    ];
  const { delta, unit, hospitalsPerPatient: hospitals } = privacy;
  return [
    `${what}, each at ${sites.length} sites; the best model is one of them`,
    `all ${runs} together cost a ${unit} of ${hospitals} of the hospitals at most ε = ${mostEpsilon.toPrecision(4)} at δ = ${delta}, more only where a site has to train a round anew; what earlier searches cost comes on top`,
    'each site charges its ledger and refuses what its budget does not hold',
  ];
}

/** Proposes a plan at most once for each label of a search; later it answers with the same run. */
function proposer(
  { digest, provenance }: Pick<DeclaredSearch, 'digest'> & { provenance: ReturnType<typeof provenanceIn> },
  options: ProposeOptions,
  context: Context,
) {
  const federation = federationFor(options, context);
  const person = Person.fromKeyFile(keyFileOf(options, context), 'researcher', options.as);
  const api = apiFor(options, context);
  const propose = async (...[plan, label]: Parameters<Runs['carryOut']>): Promise<string> => {
    const place = placeOf(`search-${digest}-${label}`, options, context, federation.origin);
    const proposal = proposalFor(plan, federation, provenance);
    return (await proposeOnce({ plan, proposal, person, federation, api, place })).run;
  };
  return { api, propose };
}

/** Wait for the end of a run, with a bar of its rounds. @throws AbortError when Ctrl-C ended the waiting */
async function follow(
  api: CoordinatorApi,
  { run, label }: { run: string; label: string },
  { context, output, signal }: Place & { signal: AbortSignal },
): Promise<RunDocument> {
  const before = await api.run(run);
  if (isFinal(before.status)) return before;
  const waits = before.sites.filter(({ approved }) => !approved).map(({ name }) => name);
  if (waits.length > 0) output.progress(`${run} waits for the approval of ${waits.join(', ')}`);
  const bar = progressBar(context.screen, label, output.quiet);
  const see = (event: RunEvent): void => {
    if (event.type === 'round') bar.show(event.round / event.rounds);
    // labels that go with batches are told before anything is trained, and once a search
    if (event.type === 'closed' && event.facts.finding && label === 'trial-1')
      output.progress(event.facts.finding.text);
  };
  await followRun(api, run, see, signal).finally(() => bar.end());
  signal.throwIfAborted();
  return api.run(run);
}
