import { beforeAll, describe, expect, it } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import { modelDeclarationSchema } from '@regulon/shared/models';
import type { UnitData } from '../data.js';
import { drawer } from '../gradient-check.support.js';
import type { TrainJob } from '../job.js';
import { trainRound } from '../loop.js';
import { squaredError } from '../losses/index.js';
import { Network } from '../network.js';
import type { TrainingBackend } from './backend.js';
import { CANDIDATES, chainOf } from './candidates.js';
import { CpuBackend } from './cpu.js';
import { findWebGpu, WEBGPU_VERSIONS } from './find-webgpu.js';
import { loadWebGpu } from './load-webgpu.js';
import { mapNow } from './map-now.js';
import { WatchedDevice } from './watched-device.js';
import {
  entryOf,
  gpuErrors,
  heapOnCpu,
  INFO,
  StandInBuffer,
  StandInDevice,
  WANTS_WEBGPU,
} from './webgpu.support.js';
import { WebGpuBackend } from './webgpu.js';

const relu = { activation: 'relu' };
const OUT = { type: 'dense', units: 'outputs' };

/** The parity models in small shapes. @see docs/benchmarks.md */
const MODELS: readonly { id: string; inputShape: number[]; outputs: number; layers: object[] }[] = [
  {
    ...{ id: 'A, 1D CNN', inputShape: [50, 1], outputs: 2 },
    layers: [
      { type: 'conv1d', filters: 8, kernel: 5, ...relu },
      { type: 'max-pool1d', size: 2 },
      { type: 'conv1d', filters: 16, kernel: 5, ...relu },
      { type: 'max-pool1d', size: 2 },
      { type: 'flatten' },
      { type: 'dense', units: 32, ...relu },
      OUT,
    ],
  },
  {
    ...{ id: 'B, LSTM', inputShape: [5, 20], outputs: 1 },
    layers: [{ type: 'lstm', units: 12 }, OUT],
  },
  {
    ...{ id: 'E, MLP', inputShape: [150], outputs: 2 },
    layers: [{ type: 'dense', units: 16, ...relu }, OUT],
  },
];

/** Three steps of Adam on one batch: the update and the last loss. */
function train(
  { inputShape, outputs, layers }: (typeof MODELS)[number],
  backend: TrainingBackend,
  onStep?: (step: number) => void,
) {
  const declaration = modelDeclarationSchema.parse({ blocks: [{ name: 'trunk', layers }] });
  const network = new Network(declaration, { inputShape, outputs });
  const draw = drawer(5);
  const n = 8;
  const weights = draw(
    network.specs.reduce((sum, { size }) => sum + size, 0),
    0.3,
  );
  const features = draw(n * inputShape.reduce((a, b) => a * b, 1));
  const targets = draw(n * outputs);
  const data: UnitData = {
    ...{ n, inputShape, features },
    lossOf: (output, rows) => squaredError(output, targets, undefined, rows, outputs),
  };
  const job = {
    ...{ epochs: 3, batchSize: n, strategy: 'fed-avg', shuffleKey: '07'.repeat(32), round: 0 },
    optimizer: { name: 'adam', learningRate: 1e-2 },
  } as TrainJob;
  backend.activate();
  return trainRound({ network, data, backend, job, ...(onStep ? { onStep } : {}) }, weights);
}

let cpu: CpuBackend;
beforeAll(async () => {
  cpu = await CpuBackend.start();
});

describe('webgpu', () => {
  it('is only for who asks for it', () => {
    expect(CANDIDATES).toContain('webgpu');
    expect([...chainOf('auto'), ...chainOf('cpu')]).not.toContain('webgpu');
    expect(chainOf('webgpu')).toEqual(['webgpu']);
  });

  it('that is not installed says what to install', async () => {
    await expect(WebGpuBackend.startWith(undefined)).rejects.toMatchObject({
      code: 'E_BACKEND',
      message:
        'webgpu is not installed on this machine: ' +
        'npm i --no-save webgpu@0.6.2 @tensorflow/tfjs-backend-webgpu@4.22.0',
    });
  });

  it('of another version is not loaded', async () => {
    const versions = { ...WEBGPU_VERSIONS, webgpu: '0.7.0' };
    await expect(loadWebGpu({ versions }, () => Promise.reject(new Error('loaded')))).rejects.toMatchObject({
      code: 'E_BACKEND',
      message: 'webgpu is 0.7.0, not 0.6.2',
    });
  });

  it('without an adapter says so', async () => {
    const dawn = { create: () => entryOf(null), globals: {} };
    const loaded = loadWebGpu({ versions: WEBGPU_VERSIONS }, () => Promise.resolve(dawn));
    await expect(loaded).rejects.toMatchObject({
      code: 'E_BACKEND',
      message: expect.stringContaining('webgpu found no adapter'),
    });
  });
});

describe('a device', () => {
  it('is asked for as much as its adapter has of what the kernels need', async () => {
    const asked: object[] = [];
    const requestDevice = (options: object) => {
      asked.push(options);
      return Promise.resolve(new StandInDevice());
    };
    const { info } = await WatchedDevice.open(entryOf({ requestDevice }));
    expect(asked).toEqual([{ requiredLimits: { maxBufferSize: 7, maxStorageBuffersPerShaderStage: 12 } }]);
    expect(info).toEqual(INFO);
  });

  it('that the adapter does not give is E_BACKEND', async () => {
    const requestDevice = () => Promise.reject(new Error('no'));
    await expect(WatchedDevice.open(entryOf({ requestDevice }))).rejects.toMatchObject({ code: 'E_BACKEND' });
  });
});

describe('waiting for a buffer', () => {
  it("calls Dawn's turns itself until it is mapped, and leaves setImmediate as it was", async () => {
    expect(mapNow(new StandInBuffer(Float32Array.of(1), 200), 1)).toBe(true);
    await new Promise((resolve) => setImmediate(resolve));
    expect(mapNow(new StandInBuffer(Float32Array.of(1), 5, 'unmapped'), 1)).toBe(false);
  });

  it('gives turns that are left over back', () => {
    const left: unknown[] = [];
    const realm = { setImmediate: (turn: () => void): unknown => left.push(turn) };
    const buffer = new StandInBuffer(Float32Array.of(1));
    const other = (): void => undefined;
    buffer.mapAsync = () => {
      buffer.mapState = 'mapped';
      realm.setImmediate(other);
      return Promise.resolve();
    };
    expect(mapNow(buffer, 1, realm)).toBe(true);
    expect(left).toEqual([other]);
  });

  it('is E_BACKEND when there is nothing to call', () => {
    const buffer = new StandInBuffer(Float32Array.of(1), 0);
    expect(() => mapNow(buffer, 1)).toThrow(expect.objectContaining({ code: 'E_BACKEND' }));
  });
});

describe('training on a device that throws nothing', () => {
  const model = MODELS[2]!;
  /** The cpu backend behind a stand-in device. */
  function standIn(onSubmit: (device: StandInDevice, count: number) => void, end?: 'unmapped') {
    const device = new StandInDevice();
    let count = 0;
    const heap = heapOnCpu(() => onSubmit(device, ++count), end);
    const watched = new WatchedDevice(entryOf(null), device, INFO);
    const backend = new WebGpuBackend(heap, watched, { versions: WEBGPU_VERSIONS, files: WEBGPU_VERSIONS });
    backend.activate = () => cpu.activate();
    return { backend, device };
  }

  it('goes on while nothing fails, with the numbers of the cpu', async () => {
    const { delta } = await train(model, standIn(() => undefined).backend);
    const exact = await train(model, cpu);
    delta.forEach((d, i) => expect(d).toBeCloseTo(exact.delta[i]!, 5));
  });

  it.each([
    ['an operation that is refused', gpuErrors.validation, 'E_BACKEND', /refused .*\(GPUValidationError\)$/],
    ['memory that is not there', gpuErrors.memory, 'E_TRAINER_OOM', /ran out of memory$/],
  ])('%s ends it by name, without the text of the device', async (_name, error, code, message) => {
    const steps: number[] = [];
    const { backend, device } = standIn(() => undefined);
    const failing = train(model, backend, (step) => {
      steps.push(step);
      device.refuse(error);
    });
    await expect(failing).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    expect(steps).toEqual([1]);
  });

  it('an error that comes up while its results are read ends it before they are used', async () => {
    const steps: number[] = [];
    const { backend } = standIn((device, count) => {
      if (count === 3) device.refuse(gpuErrors.validation);
    });
    await expect(train(model, backend, (step) => void steps.push(step))).rejects.toMatchObject({
      code: 'E_BACKEND',
    });
    expect(steps).toEqual([]);
  });

  it('a device that is lost between two steps is E_DEVICE_LOST', async () => {
    const { backend, device } = standIn(() => undefined);
    const failing = train(model, backend, (step) => {
      if (step === 2) device.lose();
    });
    await expect(failing).rejects.toMatchObject({ code: 'E_DEVICE_LOST' });
  });

  it('a buffer that is never mapped is E_DEVICE_LOST', async () => {
    const { backend } = standIn(() => undefined, 'unmapped');
    await expect(train(model, backend)).rejects.toMatchObject({ code: 'E_DEVICE_LOST' });
  });
});

const packages = WANTS_WEBGPU ? findWebGpu() : undefined;

const onDevice = packages ? it : it.skip;

describe('three steps of Adam', () => {
  onDevice.each(MODELS)(
    '$id: as the cpu backend (needs its packages and an adapter, REGULON_WEBGPU=1)',
    async (model) => {
      const backend = await WebGpuBackend.startWith(packages);
      const [exact, other] = [await train(model, cpu), await train(model, backend)];
      expect(Math.abs(other.sums.lossSum / exact.sums.lossSum - 1)).toBeLessThan(1e-5);
      const distance = Math.hypot(...other.delta.map((d, i) => d - exact.delta[i]!));
      expect(distance / Math.hypot(...exact.delta)).toBeLessThan(1e-4);
    },
  );

  onDevice(
    'leave no tensor and no buffer behind (needs its packages and an adapter, REGULON_WEBGPU=1)',
    async () => {
      const backend = await WebGpuBackend.startWith(packages);
      const after = async (): Promise<object> => {
        await train(MODELS[1]!, backend);
        return { ...tf.memory() };
      };
      await after();
      expect(await after()).toEqual(await after());
    },
  );
});
