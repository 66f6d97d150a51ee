import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { CANDIDATES, chainOf } from './candidates.js';
import { CpuBackend } from './cpu.js';
import { WEBGPU_VERSIONS } from './find-webgpu.js';
import { loadWebGpu } from './load-webgpu.js';
import { mapNow } from './map-now.js';
import { backendRecord } from './record.js';
import { MODELS, train } from './small-models.support.js';
import { WatchedDevice } from './watched-device.js';
import { entryOf, gpuErrors, heapOnCpu, INFO, StandInBuffer, StandInDevice } from './webgpu.support.js';
import { WebGpuBackend } from './webgpu.js';

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

describe('the record of a run', () => {
  it('names the device, and what was installed with its digests', () => {
    const file = fileURLToPath(import.meta.url);
    const files = { webgpu: file, '@tensorflow/tfjs-backend-webgpu': file };
    const watched = new WatchedDevice(entryOf(null), new StandInDevice(), INFO);
    const backend = new WebGpuBackend(
      heapOnCpu(() => undefined),
      watched,
      { versions: WEBGPU_VERSIONS, files },
    );
    const tested = { selfTestDigest: 'aa', selfTestMilliseconds: 1, warnings: [] };
    const digest = createHash('sha256').update(readFileSync(file)).digest('hex');
    expect(backendRecord(backend, 2, tested)).toMatchObject({
      backend: 'webgpu',
      device: 'maker, kind, driver 1',
      versions: WEBGPU_VERSIONS,
      digests: { webgpu: digest, '@tensorflow/tfjs-backend-webgpu': digest },
    });
  });
});
