import { MAX_HASHES, MAX_ITEM_BYTES, type Query } from '@regulon/shared/wire';

/** Most that a site takes as the answer to a query. */
export interface FetchLimit {
  readonly items: number;
  /** of all items together, decrypted */
  readonly bytes: number;
}

const KIB = 1024;
/** Sites of a round. */
const SITES = 255;
/** Attempts of a round whose ends are shown; a round has far fewer. */
const ATTEMPTS = 1024;
const perSite = (most: number): FetchLimit => ({ items: SITES, bytes: SITES * most });

/**
 * What a query may be answered with: one item a site, an attempt or an entry, each of its largest size.
 *
 * Without it a coordinator fills the memory of a site by not ending its answer.
 */
export function fetchLimitOf(query: Query): FetchLimit {
  switch (query.type) {
    case 'runContract':
    case 'attachment':
      return { items: 1, bytes: MAX_ITEM_BYTES };
    case 'manifest':
      return { items: 1, bytes: 513 * KIB };
    case 'advertised':
    case 'deliveries':
    case 'survivors':
    case 'signatures':
      return perSite(8 * KIB);
    case 'closed':
      return { items: ATTEMPTS, bytes: ATTEMPTS * KIB };
    case 'logEntries': {
      const items = Math.max(0, query.to - query.from);
      return { items, bytes: items * 513 * KIB };
    }
    case 'logHashes': {
      const items = Math.ceil(Math.max(0, query.to - query.from) / MAX_HASHES);
      return { items, bytes: items * 9 * KIB };
    }
    case 'consistencyProof':
      return { items: 1, bytes: 32 * KIB };
    case 'spotTiles':
      // an audit asks for one tile of every upload and of the sum, or for several while they are fewer pieces than that
      return { items: SITES + 1, bytes: (SITES + 1) * 68 * KIB };
    case 'revealed':
      return perSite(64);
    case 'answers':
      return perSite(128);
  }
}
