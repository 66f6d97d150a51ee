import { RegulonError } from '../errors/index.js';

/** What the thresholds follow from. */
export interface ThresholdInput {
  /** sites named in the approved plan */
  readonly N: number;
  /** members of the pinned roster */
  readonly M: number;
  /** |U1|, the sites whose keys were fixed */
  readonly n: number;
  /** γ as a rational: the share of the roster that may collude */
  readonly gammaNum: number;
  readonly gammaDen: number;
  /** strict quorum (rule 0) or simple majority (rule 1) */
  readonly strict: boolean;
}

/** Counts of sites; see `thresholds`. */
export interface Thresholds {
  readonly N: number;
  readonly M: number;
  readonly n: number;
  /** colluders tolerated */
  readonly c: number;
  /** least |U1| and |U2|, before nMin */
  readonly quorum: number;
  /** signatures of R3 and shares needed */
  readonly t: number;
  /** least releasable |U3| and |U3 ∩ contributors| */
  readonly uMin: number;
  /** honest contributors guaranteed in a releasable set */
  readonly h: number;
}

/**
 * Thresholds of one attempt, by integer arithmetic only.
 *
 * 2t > n + c excludes two inconsistent survivor sets; uMin leaves three honest sites in every sum.
 *
 * @throws E_POLICY if a count is no integer in 1..255 (M: 1..65535), or γ is not in [0, 1)
 * @see Bonawitz et al. 2017, section 6 (active adversary)
 */
export function thresholds({ N, M, n, gammaNum, gammaDen, strict }: ThresholdInput): Thresholds {
  const counts = [N, n].every((count) => Number.isInteger(count) && count >= 1 && count <= 255);
  const gamma =
    Number.isInteger(gammaNum) && Number.isInteger(gammaDen) && gammaNum >= 0 && gammaNum < gammaDen;
  if (!counts || !gamma || !Number.isInteger(M) || M < 1 || M > 65_535 || gammaDen > 65_535) {
    throw new RegulonError(
      'E_POLICY',
      `no thresholds for N = ${N}, M = ${M}, n = ${n}, γ = ${gammaNum}/${gammaDen}`,
    );
  }
  const c = Math.floor((gammaNum * M) / gammaDen);
  const quorum = strict ? Math.floor((N + c) / 2) + 1 : Math.floor(N / 2) + 1;
  const t = Math.floor((n + c) / 2) + 1;
  const uMin = Math.max(t, c + 3);
  return { N, M, n, c, quorum, t, uMin, h: uMin - c };
}
