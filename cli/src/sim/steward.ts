import type { StewardStatements } from '@regulon/client/rounds';
import { type Plan, planHashOf } from '@regulon/shared/plan';
import { digestText } from '@regulon/shared/transparency';
import type { CoordinatorApi } from '../api-client/index.js';
import type { Signer } from './signer.js';
import { approvalBody, approvalEnd } from '../steward/index.js';

/** The simulated steward of one site: sets its policy, commits to its dataset, approves plans. */
export class Steward {
  /** @param statements what the daemon of the site asks its steward to sign */
  constructor(
    readonly site: string,
    private readonly signer: Signer,
    private readonly api: CoordinatorApi,
    private readonly statements: StewardStatements,
  ) {}

  /** Put policy and dataset commitment into the log. */
  async settle(): Promise<void> {
    const entries = [
      await this.signer.seal({ kind: 'policy.set', body: this.statements.policy }),
      await this.signer.seal({ kind: 'dataset.commit', body: this.statements.dataset }),
    ];
    await this.api.appendEntries({ entries, attachments: [this.statements.policyAttachment] });
  }

  /** Approve a proposed plan for this site. */
  async approve(run: string, plan: Plan): Promise<void> {
    const { policy, dataset } = this.statements;
    const agreed = { planHash: digestText(planHashOf(plan)), policy: policy.policy.digest, dataset };
    const body = approvalBody(agreed, approvalEnd(new Date()));
    await this.api.approve(run, { entries: [await this.signer.seal({ kind: 'plan.approve', body })] });
  }
}
