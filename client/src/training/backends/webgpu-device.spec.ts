import { describe, expect, it } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import { CpuBackend } from './cpu.js';
import { findWebGpu } from './find-webgpu.js';
import { importPackage } from './load-webgpu.js';
import { MODELS, train } from './small-models.support.js';
import { WatchedDevice } from './watched-device.js';
import { WANTS_WEBGPU } from './webgpu.support.js';
import type { DawnPackage, GpuDevice } from './webgpu-types.js';
import { WebGpuBackend } from './webgpu.js';

const packages = WANTS_WEBGPU ? findWebGpu() : undefined;

const onDevice = packages ? it : it.skip;

describe('three steps of Adam', () => {
  onDevice.each(MODELS)(
    '$id: as the cpu backend (needs its packages and an adapter, REGULON_WEBGPU=1)',
    async (model) => {
      const backend = await WebGpuBackend.startWith(packages);
      const [exact, other] = [await train(model, await CpuBackend.start()), await train(model, backend)];
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

/** A device of Dawn's with what the tests do to it. */
interface RealDevice extends GpuDevice {
  createBuffer(options: { size: number; usage: number }): unknown;
  destroy(): void;
}

describe('a device of this machine', () => {
  const opened = async (): Promise<[WatchedDevice, RealDevice]> => {
    const dawn = (await importPackage('webgpu')) as DawnPackage;
    const watched = await WatchedDevice.open(dawn.create([]));
    return [watched, watched.device as RealDevice];
  };

  onDevice('tells of what it refuses (needs its packages and an adapter, REGULON_WEBGPU=1)', async () => {
    const [watched, device] = await opened();
    watched.verify();
    // no buffer is mapped for reading and for writing
    device.createBuffer({ size: 16, usage: 1 | 2 });
    expect(() => watched.verify()).toThrow(/refused an operation of this model \(GPUValidationError\)$/);
  });

  onDevice(
    'that is gone is E_DEVICE_LOST (needs its packages and an adapter, REGULON_WEBGPU=1)',
    async () => {
      const [watched, device] = await opened();
      device.destroy();
      await device.lost;
      expect(() => watched.verify()).toThrow(expect.objectContaining({ code: 'E_DEVICE_LOST' }));
    },
  );

  // last: it takes the device of all the others
  onDevice(
    'that goes in the middle of a step ends training with E_DEVICE_LOST (needs its packages and an adapter, REGULON_WEBGPU=1)',
    async () => {
      const backend = await WebGpuBackend.startWith(packages);
      let views = 0;
      const view = backend.view.bind(backend);
      backend.view = (tensor) => {
        if (++views === 40) (backend.watched.device as RealDevice).destroy();
        return view(tensor);
      };
      await expect(train(MODELS[0]!, backend)).rejects.toMatchObject({ code: 'E_DEVICE_LOST' });
      expect(views).toBeGreaterThanOrEqual(40);
    },
  );
});
