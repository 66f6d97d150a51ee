import { existsSync, readFileSync } from 'node:fs';
import { deserialize, serialize } from 'node:v8';
import { RegulonError } from '@regulon/shared/errors';
import {
  batchNamesOf,
  featureCount,
  type FeatureSpecification,
  fitLoneSite,
  foldsOf,
  hasBatchSteps,
  keepPrepared,
  type LabelledUnits,
  type LinearFit,
  scoreLinear,
  selectUnits,
  scoreLinearHeads,
  seriesBaselines,
  type SitePreparation,
  sitePreparation,
  specificationDigest,
  transform,
  type UnitsView,
} from '@regulon/shared/genomics';
import { isPrepared } from '@regulon/shared/plan';
import {
  type BaselineModel,
  type BaselineScores,
  headShapesOf,
  type RunContract,
  RunProgram,
  type ScheduledRound,
} from '@regulon/shared/program';
import type { DatasetConfig } from '../config/index.js';
import { loadDataset, type LocalDataset, readReport, verifyPatientUnits, viewOf } from '../data/index.js';
import type { ArmData } from '../training/index.js';
import { type UnitSets, unitSetsOf } from '../unit-sets/index.js';
import {
  type PatientsOfArm,
  writeFile,
  writeGeneNames,
  writePatientNumbers,
  writePrepared,
  writeUnprepared,
} from './arm-files.js';
import { describeDataset } from './describe-dataset.js';
import { siteBatchesPath, writeSiteBatches } from './site-batches.js';
import { servesWholly, summedUses, useOfFold } from './unit-use.js';
import { patientNamesOf, unitsKeyOf, unitsOfPlan } from './units-of-plan.js';
import { verifyComplete } from './verify-complete.js';
import { verifyOwned } from './verify-owned.js';
import { verifyPatterns } from './verify-patterns.js';
import type { ArmRequest, BaselineScore, DatasetDescription, UnitUse } from './site-data.js';

/** Fewest units that a released sum covers; a dataset below it serves no plan. */
const MIN_UNITS = 5;

/** The dataset of this site in memory, and what the rounds ask of it. */
export class DatasetStore {
  /** the dataset with classes, batches and covariates of a plan; plans may share a name and differ in them */
  private prepared: { classes: string; view: UnitsView } | undefined;

  private units: { key: string; units: LabelledUnits } | undefined;

  /** training units of the arm asked for last, with what its rounds prepared of them */
  private training: { key: string; view: UnitsView } | undefined;

  private constructor(
    private readonly dataset: LocalDataset,
    /** file or store of the numbers */
    private readonly counts: string,
  ) {}

  /**
   * Load the dataset; a parsed copy from earlier in this process is read again faster than the files.
   *
   * @param cachePath private file for the parsed copy; the daemon removes it when a run ends
   * @throws the errors of the importers, each naming file, line and rule
   */
  static async load(config: DatasetConfig, cachePath?: string): Promise<DatasetStore> {
    if (cachePath !== undefined && existsSync(cachePath)) {
      return new DatasetStore(deserialize(readFileSync(cachePath)) as LocalDataset, config.counts);
    }
    const dataset = await loadDataset(config);
    verifyPatientUnits(dataset, config.unit, config.name);
    if (cachePath !== undefined) writeFile(cachePath, serialize(dataset));
    return new DatasetStore(dataset, config.counts);
  }

  describe(): DatasetDescription {
    return describeDataset(this.dataset, readReport(this.counts));
  }

  /** Most training units of any arm. @throws E_LABEL, E_UNITS */
  prepare(contract: RunContract, siteId: number): number {
    const view = this.view(contract);
    verifyComplete(view, contract.plan);
    const patients = patientNamesOf(this.dataset, contract.plan);
    if ((patients ? new Set(patients).size : view.n) < MIN_UNITS)
      throw new RegulonError(
        'E_UNITS',
        `this site has fewer than ${MIN_UNITS} ${patients ? 'patients' : 'units'}`,
      );
    const { arms } = new RunProgram(contract);
    for (const arm of arms) {
      const view = (): UnitsView => this.select({ contract, siteId, arm }, 'train');
      verifyOwned(view, contract, siteId, MIN_UNITS);
      for (const use of contract.isPublic ? [] : summedUses(arm))
        verifyPatterns(() => this.select({ contract, siteId, arm }, use), contract.plan, MIN_UNITS);
    }
    return Math.max(...arms.map((arm) => this.rowsOf({ contract, siteId, arm }, 'train').length));
  }

  /** Units behind the sums of a plan. @param key secret of this site that never changes, 32 bytes */
  unitSets(contract: RunContract, siteId: number, key: Uint8Array): UnitSets {
    const { arms } = new RunProgram(contract);
    const apart = arms.flatMap(({ heldOutFold, validationFold }) => [
      heldOutFold ?? [],
      validationFold ?? [],
    ]);
    const heldOut = [...new Set(apart.flat())];
    const view = this.view(contract);
    const folds = heldOut.length > 0 ? this.foldsOf(contract, siteId) : undefined;
    const { unitIds, patients = patientNamesOf(this.dataset, contract.plan) } = this.dataset;
    return unitSetsOf({ unitIds, patients, view, folds, heldOut }, key);
  }

  statistics(
    request: ArmRequest & { round: ScheduledRound; specification: FeatureSpecification },
  ): Float64Array {
    const step = new RunProgram(request.contract).step(request.round);
    const view = step.over === 'dataset' ? this.withFolds(request) : this.trainingUnits(request);
    return step.local(view, request.specification);
  }

  writeFeatures(
    request: ArmRequest & { use: UnitUse; specification: FeatureSpecification; prefix: string },
  ): ArmData | null {
    const view = this.unitsOf(request, request.use);
    if (view.n === 0) return null;
    const { prefix, contract } = request;
    const { kind } = contract.plan.dataset;
    if (!isPrepared(kind))
      return { ...writeUnprepared(view, contract.plan, prefix), ...this.writePatients(request, prefix) };
    const { specification } = request;
    if (request.use === 'train') this.writeBatches(request, view);
    return {
      ...writePrepared(view, specification, this.batchesOf(request, request.use), prefix),
      ...writeGeneNames(contract.plan, this.dataset.panel, specification, prefix),
      ...this.writePatients(request, prefix),
    };
  }

  baselineSums(
    request: ArmRequest & { round: ScheduledRound; specification: FeatureSpecification; fit: LinearFit },
  ): Float64Array {
    const sum = new RunProgram(request.contract).baselines.sum(request.round);
    if (!sum) throw new RegulonError('E_STATE', `round ${request.round.round} fits no baseline`);
    return sum.local(this.labelled(request, 'train'), request.fit);
  }

  scoreBaselines(
    request: ArmRequest & { specification: FeatureSpecification; models: readonly BaselineModel[] },
  ): BaselineScores[] | null {
    const units = this.labelled(request, 'test');
    if (units.n === 0) return null;
    return request.models.map((model) => {
      if (model.kind === 'heads')
        return scoreLinearHeads(model.heads, headShapesOf(request.contract), units, model.weights);
      if (model.kind === 'linear') return scoreLinear(model.weights, units, model.hasLogits);
      return scoreLinear(fitLoneSite(this.labelled(request, 'train'), model.c), units);
    });
  }

  baselines(horizon: number): BaselineScore {
    const { lastValue, zero, ar3 } = seriesBaselines(viewOf(this.dataset), horizon);
    return {
      lastValue: lastValue.squaredError,
      zero: zero.squaredError,
      autoregressive: ar3.squaredError,
    };
  }

  private view(contract: RunContract): UnitsView {
    const classes = unitsKeyOf(contract.plan);
    if (this.prepared?.classes !== classes) {
      const view = unitsOfPlan(this.dataset, contract.plan);
      this.prepared = { classes, view };
    }
    return this.prepared.view;
  }

  /** Prepared units of an arm with their classes; those of the last one asked for are kept. */
  private labelled(
    request: ArmRequest & { specification: FeatureSpecification },
    use: UnitUse,
  ): LabelledUnits {
    const { contract, arm, specification } = request;
    const key = JSON.stringify([
      ...[Buffer.from(contract.runId).toString('hex'), arm.index, use],
      Buffer.from(specificationDigest(specification)).toString('hex'),
    ]);
    if (this.units?.key === key) return this.units.units;
    const view = this.unitsOf(request, use);
    const { features } = transform(view, specification, this.batchesOf(request, use));
    const units = {
      ...{ n: view.n, features: featureCount(specification), classes: view.classes },
      ...{
        x: Float64Array.from(features),
        labels: view.labels ?? new Int32Array(view.n),
        targets: view.targets,
      },
    };
    this.units = { key, units };
    return units;
  }

  /** Batches of test units: fitted on the training units; one that has none there (a site held out) on the units themselves. */
  private batchesOf(
    request: ArmRequest & { specification: FeatureSpecification },
    use: UnitUse,
  ): SitePreparation | undefined {
    const { specification } = request;
    if (use === 'train' || !hasBatchSteps(specification)) return undefined;
    return sitePreparation(
      this.select(request, use),
      specification,
      sitePreparation(this.trainingUnits(request), specification),
    );
  }

  /** What samples that come after the run are corrected with: the batches as they were fitted on the training units. */
  private writeBatches(
    { contract, specification, prefix }: Parameters<DatasetStore['writeFeatures']>[0],
    view: UnitsView,
  ): void {
    if (!hasBatchSteps(specification)) return;
    const column = contract.plan.design?.batch;
    const names = column === undefined ? null : batchNamesOf(this.dataset, column);
    const preparation = sitePreparation(view, specification);
    writeSiteBatches(siteBatchesPath(prefix), { names, preparation }, specification);
  }

  /** All units of the plan, each with its fold. */
  private withFolds(request: ArmRequest): UnitsView {
    return { ...this.view(request.contract), folds: this.foldsOf(request.contract, request.siteId) };
  }

  private foldsOf(contract: RunContract, siteId: number): Int32Array {
    const siteIndex = contract.sites.findIndex((s) => s.id === siteId);
    const { labels, strata } = this.view(contract);
    const { unit } = contract.plan.dataset;
    const patients = patientNamesOf(this.dataset, contract.plan);
    return foldsOf(unit, this.dataset.unitIds, labels ?? strata, siteIndex, patients);
  }

  /** Whose records the units of an arm are, for a plan that protects patients. */
  private writePatients(request: ArmRequest & { use: UnitUse }, prefix: string): PatientsOfArm {
    const patients = request.contract.plan.privacy && patientNamesOf(this.dataset, request.contract.plan);
    return patients ? writePatientNumbers(patients, this.rowsOf(request, request.use), prefix) : {};
  }

  private unitsOf(request: ArmRequest, use: UnitUse): UnitsView {
    return use === 'train' ? this.trainingUnits(request) : this.select(request, use);
  }

  /** Training units of an arm; the same object from round to round, so that what was prepared of them is kept. */
  private trainingUnits(request: ArmRequest): UnitsView {
    const { contract, arm } = request;
    const key = `${Buffer.from(contract.runId).toString('hex')}/${arm.index}`;
    if (this.training?.key !== key) {
      this.training = undefined; // never the units of two arms at once
      this.training = { key, view: keepPrepared({ ...this.select(request, 'train') }) };
    }
    return this.training.view;
  }

  private select(request: ArmRequest, use: UnitUse): UnitsView {
    const view = this.view(request.contract);
    const rows = this.rowsOf(request, use);
    return rows.length === view.n ? view : selectUnits(view, rows);
  }

  /** Positions of the units of an arm at this site that train, validate or test its model. */
  private rowsOf(request: ArmRequest, use: UnitUse): number[] {
    const { contract, siteId, arm } = request;
    const view = this.view(contract);
    const all = Array.from({ length: view.n }, (_, i) => i);
    const { heldOutFold, validationFold } = arm;
    if (heldOutFold === null && validationFold === null)
      return servesWholly(contract, arm, siteId, use) ? all : [];
    if (arm.heldOutSite === siteId) return use === 'test' ? all : [];
    const folds = this.foldsOf(contract, siteId);
    return all.filter((i) => useOfFold(folds[i] ?? -1, arm) === use);
  }
}
