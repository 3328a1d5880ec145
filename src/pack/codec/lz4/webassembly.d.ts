// What is used here of WebAssembly's JavaScript interface, which TypeScript has among its types for browsers only.
declare namespace WebAssembly {
  type Module = object;
  const Module: new (bytes: Uint8Array) => Module;

  class Instance {
    constructor(module: Module);
    readonly exports: unknown;
  }

  interface Memory {
    readonly buffer: ArrayBuffer;
    /** By pages of 64 KiB; views of the buffer from before have no bytes any more. */
    grow(pageCount: number): number;
  }

  interface Global<Value> {
    readonly value: Value;
  }
}
