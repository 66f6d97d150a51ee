import { readSitePolicy } from '@regulon/client/config';
import type { Plan } from '@regulon/shared/plan';
import type { Attachment } from '@regulon/shared/transparency';
import type { CoordinatorApi } from '../api-client/index.js';
import { base64, type Signer } from './signer.js';
import { approval, type DatasetFacts, datasetStatement, policyStatement } from './statements.js';

/** The simulated steward of one site: sets its policy, commits to its dataset, approves plans. */
export class Steward {
  private policy: Attachment | null = null;

  constructor(
    readonly site: string,
    private readonly signer: Signer,
    private readonly api: CoordinatorApi,
    private readonly facts: DatasetFacts,
    private readonly policyFile: string,
  ) {}

  /** Put policy and dataset commitment into the log. */
  async settle(): Promise<void> {
    const statement = policyStatement(readSitePolicy(this.policyFile), this.facts.unit);
    const entries = [
      await this.signer.seal('policy.set', statement.body),
      await this.signer.seal('dataset.commit', datasetStatement(this.facts)),
    ];
    const attachments = statement.attachments.map(base64);
    await this.api.post('/api/v1/log/entries', { entries, attachments });
    this.policy = statement.policy;
  }

  /** Approve a proposed plan for this site. */
  async approve(run: string, plan: Plan): Promise<void> {
    if (!this.policy) await this.settle();
    const body = approval(plan, this.policy as Attachment, this.facts, new Date());
    const entries = [await this.signer.seal('plan.approve', body)];
    await this.api.post(`/api/v1/runs/${run}/approvals`, { entries });
  }
}
