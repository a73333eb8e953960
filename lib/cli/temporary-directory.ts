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
      // The core may just be finishing a chunk there: a folder that is not empty after all is tried again.
      rmSync(this.path, { recursive: true, force: true, maxRetries: 10 });
    };
    process.on('exit', this.#removeAtExit);
  }

  /** Removes the folder and all in it. Nobody may still be writing there. */
  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true, maxRetries: 10 });
    this.keep();
  }

  /** Leaves the folder where it is. */
  keep(): void {
    process.off('exit', this.#removeAtExit);
  }
}
