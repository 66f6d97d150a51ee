/** The part of the WebAssembly interface used here; TypeScript knows it only together with the browser's types. */
export interface WebAssemblyApi {
  validate(binary: Uint8Array): boolean;
  readonly Module: new (binary: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports?: object,
  ) => { readonly exports: Readonly<Record<string, unknown>> };
  /** @param options pages of 64 KiB */
  readonly Memory: new (options: { readonly initial: number }) => WebAssemblyMemory;
}

/** Memory of modules; a view of it is valid until it grows. */
export interface WebAssemblyMemory {
  readonly buffer: ArrayBufferLike;
}

/** WebAssembly of this process: Node has it always. */
export const webAssembly = Reflect.get(globalThis, 'WebAssembly') as WebAssemblyApi;
