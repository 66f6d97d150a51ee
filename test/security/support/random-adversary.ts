import { randomBytes, sha256, u32 } from '@regulon/shared/crypto';
import * as real from '@regulon/shared/secagg';
import {
  type ConsistencySignature,
  hashOfSurvivors,
  type SecAggClient,
  type ShareKeys,
  type SiteId,
  type Thresholds,
} from '@regulon/shared/secagg';
import { signTagged } from '../../../shared/src/secagg/hashing.js';
import { makeCohort } from '../../../shared/src/secagg/secagg.support.js';
import { Dice } from './dice.js';
import { LyingCoordinator, sorted } from './lying-coordinator.js';
import { Released, Tally } from './released.js';
import type { SecAgg } from './secagg-without.js';

// N = 7, γ = 1/3: c = 2, t = 5, uMin = 5, h = 3
const ids: readonly SiteId[] = [10, 20, 30, 40, 50, 60, 70];
const [colluders, honest] = [ids.slice(0, 2), ids.slice(2)];
const LENGTH = 8;

interface Options {
  readonly secagg?: SecAgg;
  /** sites come back with what they stored earlier, not last: the control of every "once" */
  readonly forgetful?: boolean;
}

/** The steps of a site, in order. */
const acts = ['deal', 'mask', 'commit', 'confirm', 'unmask'] as const;

/** The sets that one site is shown. */
type View = Readonly<Record<'u1' | 'u2' | 'u3', SiteId[]>>;
const alike = (set: readonly SiteId[]): View => ({ u1: [...set], u2: [...set], u3: [...set] });
const [low, high] = [ids.slice(0, 5), [...colluders, ...ids.slice(4)]];

/** How the views differ that the honest sites are shown; k counts them, `lost` begins with the victim. */
const strategies: readonly ((id: SiteId, k: number, lost: readonly SiteId[]) => View)[] = [
  () => alike(ids),
  (id, k, [victim]) => {
    const u3 = ids.filter((other) => k % 2 === 0 || id === victim || other !== victim);
    return { ...alike(ids), u3 };
  },
  (_, k, lost) => {
    const u3 = ids.filter((other) => other !== lost[k % 3] && other !== lost[(k + 1) % 3]);
    return { ...alike(ids), u3 };
  },
  (_, k) => alike(k % 2 === 0 ? low : high),
  (_, k) => ({ ...alike(k % 2 === 0 ? low : high), u1: [...ids] }),
  (id) => alike([...colluders, id]),
];

/**
 * A coordinator with two colluding sites that does at random what it can think of: shows different views, reorders,
 * repeats, drops, delays and forges messages, and lets the processes of honest sites die at any time.
 */
export class RandomAdversary {
  private readonly dice: Dice;
  private readonly secagg: SecAgg;
  private readonly coordinator: LyingCoordinator;
  private readonly released = new Map(honest.map((id) => [id, new Released()]));
  /** what each site stored, in order */
  private readonly stored: ReadonlyMap<SiteId, Uint8Array[]>;
  /** what was dealt, by dealer and list */
  private readonly dealt = new Map<string, ShareKeys>();
  private readonly views = new Map<SiteId, View>();
  /** one forged call, one lost message, one crash before anything is stored in so many; 0: none */
  private readonly noise: number;
  private readonly losses: number;
  private readonly crashes: number;
  private readonly receipts: boolean;
  /** how old a state is that comes back, 0 the first, 1 the last */
  private readonly age: number;
  private pass = 0;

  constructor(
    seed: number,
    private readonly options: Options = {},
  ) {
    this.dice = new Dice(seed);
    this.secagg = options.secagg ?? real;
    this.coordinator = new LyingCoordinator(makeCohort(7, { d: LENGTH - 2, nMin: 3 }), this.secagg).joinAll();
    this.stored = new Map(ids.map((id) => [id, [this.client(id).snapshot()]]));
    // a control shows its break soonest when nothing else goes wrong
    const calm = options.forgetful === true || options.secagg !== undefined;
    this.noise = calm ? 0 : this.dice.pick([0, 0, 40, 10]);
    this.losses = calm ? 0 : this.dice.pick([0, 20]);
    this.crashes = calm ? 0 : 20;
    this.receipts = this.dice.chance(2);
    this.age = this.dice.uniform();
  }

  /**
   * Two passes through R1 to R4, each with views of its own; in the second every site is asked again. In between
   * messages are lost, repeated and forged, and processes die.
   */
  play(): Tally {
    for (; this.pass < 2; this.pass++) {
      this.chooseViews();
      for (const act of acts) for (const id of this.dice.shuffled(honest)) this.visit(id, act);
      if (this.options.forgetful === true) honest.forEach((id) => this.restart(id));
    }
    const limits =
      (secagg: SecAgg) =>
      (n: number): Thresholds => {
        const { manifest, roster } = this.coordinator.cohort;
        return secagg.thresholdsOf(manifest, roster, n);
      };
    return new Tally(this.released, colluders, limits(this.secagg), limits(real));
  }

  private chooseViews(): void {
    const strategy = this.dice.pick(strategies);
    const lost = this.dice.shuffled(honest).slice(0, 3);
    honest.forEach((id, k) => this.views.set(id, strategy(id, k, lost)));
  }

  private visit(id: SiteId, act: (typeof acts)[number]): void {
    const { dice } = this;
    if (dice.chance(this.noise)) this.attempt(dice.pick(honest), dice.pick(acts), true);
    if (dice.chance(this.losses)) return;
    this.attempt(id, act);
    if (this.receipts && act === 'commit') this.attempt(id, 'receipt');
    if (dice.chance(6)) this.attempt(id, act);
    if (dice.chance(6) && this.options.forgetful !== true) this.restart(id);
  }

  /** A step of a site: what it stores is stored, unless its process dies before; a refusal is a refusal. */
  private attempt(id: SiteId, act: (typeof acts)[number] | 'receipt', forged = false): void {
    const before = this.client(id).snapshot();
    try {
      const release = act === 'receipt' ? this.client(id).confirmUpload() : this[act](id, forged);
      if (this.dice.chance(this.crashes)) {
        this.coordinator.restart(id, before);
        return;
      }
      // the daemon stores what it opened in R2 together with its upload, or with what it signs in R3
      if (act !== 'mask') this.stored.get(id)?.push(this.client(id).snapshot());
      release?.();
    } catch (error) {
      if ((error as Error).name !== 'RegulonError') throw error;
    }
  }

  private restart(id: SiteId): void {
    const stored = this.stored.get(id) ?? [];
    const { age, options } = this;
    const at = Math.floor(options.forgetful === true ? age * stored.length : stored.length - 1);
    this.coordinator.restart(id, stored[at]);
  }

  private deal(id: SiteId, forged: boolean): () => void {
    const { dice } = this;
    const u1 = forged ? dice.subset(ids) : this.viewOf(id).u1;
    let list = dice.shuffled(this.coordinator.keys(u1));
    if (forged && dice.chance(2)) list = dice.spoiled(list, 'sPk');
    const shares = this.client(id).shareKeys(list);
    return () => {
      this.releasedBy(id).dealt(u1, shares);
      this.dealt.set(keyOf(id, u1), shares);
    };
  }

  private mask(id: SiteId, forged: boolean): () => void {
    const { dice } = this;
    const { u1 } = this.releasedBy(id);
    const u2 = (forged ? dice.subset(ids) : this.viewOf(id).u2).filter((from) => {
      const shares = this.sharesOf(from, u1);
      if (shares) this.coordinator.site(from).shares = shares;
      return shares;
    });
    let deliveries = dice.shuffled(this.coordinator.deliveries(id, u1, u2));
    if (forged && dice.chance(2)) deliveries = dice.spoiled(deliveries, 'envelope');
    this.client(id).maskPlan(deliveries);
    return () => void (this.releasedBy(id).u2 = sorted(u2));
  }

  private commit(id: SiteId, forged: boolean): () => void {
    const client = this.client(id);
    const root = forged ? randomBytes(32) : sha256(u32(id), u32(this.pass));
    const commit = client.commit(root, LENGTH);
    const h2 = client.h2();
    return () => {
      this.coordinator.site(id).commit = commit;
      this.releasedBy(id).uploaded(h2, commit);
    };
  }

  private confirm(id: SiteId, forged: boolean): () => void {
    const { dice } = this;
    for (const colluder of colluders) this.commitFor(colluder, id);
    const wanted = forged ? dice.subset(ids) : this.viewOf(id).u3;
    const u3 = wanted.filter((other) => this.coordinator.site(other).commit);
    let survivors = dice.shuffled(this.coordinator.survivors(u3));
    if (forged && dice.chance(2)) survivors = dice.spoiled(survivors, 'root');
    const signature = this.client(id).consistency(survivors);
    return () => this.releasedBy(id).confirmed(u3, signature);
  }

  private unmask(id: SiteId, forged: boolean): () => void {
    const { dice } = this;
    const pool = [...this.released.values()].flatMap(({ confirmations }) => confirmations);
    const signatures = [...pool, ...colluders.map((colluder) => this.confirmFor(colluder, id))];
    const shown = forged ? dice.spoiled(dice.shuffled([...signatures, ...signatures]), 'sig') : signatures;
    const answer = this.client(id).unmask(shown);
    return () => this.releasedBy(id).answered(answer);
  }

  /** A colluding site signs whatever survivors the honest one has seen. */
  private confirmFor(colluder: SiteId, id: SiteId): ConsistencySignature {
    const { ctx } = this.client(id);
    const survivors = this.coordinator.survivors(sorted(this.releasedBy(id).u3));
    const h3 = hashOfSurvivors(ctx, this.client(id).h2(), survivors);
    return { id: colluder, sig: signTagged(this.seedOf(colluder), ctx, 'R3', h3, u32(colluder)) };
  }

  /** A colluding site commits to some upload under whatever U2 the honest one has seen. */
  private commitFor(colluder: SiteId, id: SiteId): void {
    const { ctx } = this.client(id);
    const root = sha256(u32(colluder));
    const fields = [this.client(id).h2(), u32(colluder), u32(LENGTH), root];
    const sig = signTagged(this.seedOf(colluder), ctx, 'R2', ...fields);
    this.coordinator.site(colluder).commit = { id: colluder, root, sig };
  }

  /** What a site dealt to this list; a colluding one deals to any. */
  private sharesOf(from: SiteId, u1: readonly SiteId[]): ShareKeys | undefined {
    const key = keyOf(from, u1);
    const known = this.dealt.get(key);
    if (known || !colluders.includes(from) || !u1.includes(from)) return known;
    const twin = new LyingCoordinator(this.coordinator.cohort, this.secagg);
    twin.sites.set(from, this.coordinator.site(from));
    twin.restart(from, this.stored.get(from)?.[0]);
    const shares = twin.site(from).client.shareKeys(this.coordinator.keys(u1));
    this.dealt.set(key, shares);
    return shares;
  }

  private client(id: SiteId): SecAggClient {
    return this.coordinator.site(id).client;
  }

  private releasedBy(id: SiteId): Released {
    return this.released.get(id) ?? new Released();
  }

  private viewOf(id: SiteId): View {
    return this.views.get(id) ?? alike(ids);
  }

  private seedOf(id: SiteId): Uint8Array {
    return this.coordinator.cohort.seeds.get(id) ?? new Uint8Array();
  }
}

const keyOf = (dealer: SiteId, u1: readonly SiteId[]): string => `${dealer} ${sorted(u1).join()}`;
