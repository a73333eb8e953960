// A folder of our own that does not outlive the process, however that ends.

import { mkdtempSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export class TemporaryDirectory {
  readonly path: string;
  readonly #removeAtExit: () => void;

  /** Makes a new folder in `parent`, by default the system's folder for temporary files. */
  constructor(prefix: string, parent: string = tmpdir()) {
    this.path = mkdtempSync(join(parent, prefix));
    // A second Ctrl-C or an uncaught error leaves no time for promises.
    this.#removeAtExit = () => {
      rmSync(this.path, { recursive: true, force: true });
    };
    process.on('exit', this.#removeAtExit);
  }

  /** Removes the folder and all in it. Nobody may still be writing there. */
  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
    this.keep();
  }

  /** Leaves the folder where it is. */
  keep(): void {
    process.off('exit', this.#removeAtExit);
  }
}
