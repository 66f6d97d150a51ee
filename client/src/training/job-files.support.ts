import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

/** A folder of a test with the files of its jobs. */
export class JobFiles {
  private constructor(readonly folder: string) {}

  static async make(): Promise<JobFiles> {
    return new JobFiles(await mkdtemp(path.join(os.tmpdir(), 'regulon-job-')));
  }

  at(name: string): string {
    return path.join(this.folder, name);
  }

  async write(name: string, values: Float32Array | Int32Array): Promise<string> {
    await writeFile(this.at(name), new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    return this.at(name);
  }

  async read(name: string): Promise<Float32Array> {
    return new Float32Array(new Uint8Array(await readFile(this.at(name))).buffer);
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true });
  }
}
