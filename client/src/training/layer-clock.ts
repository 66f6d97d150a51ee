import { type forwardLayer } from './forward-layer.js';

/** Adds up the time that each layer takes, there and back. */
export class LayerClock {
  #spent = new Map<string, number>();
  #steps = 0;

  /** Layers that are timed as they are carried out. */
  around(layers: typeof forwardLayer): typeof forwardLayer {
    return (layer, input, context) => {
      const pass = this.#timed(layer.name, () => layers(layer, input, context));
      return {
        ...pass,
        backward: (gradient, wantsInput) =>
          this.#timed(layer.name, () => pass.backward(gradient, wantsInput)),
      };
    };
  }

  /** A step has ended. */
  step(): void {
    this.#steps += 1;
  }

  /** Forget what was measured so far. */
  restart(): void {
    this.#spent = new Map();
    this.#steps = 0;
  }

  /** Mean milliseconds a step, by the name of the layer. */
  milliseconds(): Record<string, number> {
    const means = [...this.#spent].map(([name, spent]) => [name, spent / Math.max(1, this.#steps)] as const);
    return Object.fromEntries(means);
  }

  #timed<T>(name: string, work: () => T): T {
    const from = performance.now();
    const done = work();
    this.#spent.set(name, (this.#spent.get(name) ?? 0) + performance.now() - from);
    return done;
  }
}
