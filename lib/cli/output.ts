// Standard output: written at the pace of its reader, ended quietly when the reader goes away.

import type { Writable } from 'node:stream';
import { OutputClosedError } from './interruption.js';
import { jsonPieces } from './json.js';

/** Text is gathered up to this many characters, so that many small pieces are few system calls. */
const GATHERED = 64 * 1024;

export class Output {
  readonly #stream: Writable;

  /** `onClosed` is called when the reader goes away while nothing is being written. */
  constructor(stream: Writable, onClosed: (error: OutputClosedError) => void) {
    this.#stream = stream;
    // Without a listener a broken pipe would be an uncaught exception; `write` reports the others.
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') onClosed(new OutputClosedError());
    });
  }

  /**
   * Writes `content` and waits until the stream took it.
   *
   * @throws {OutputClosedError} when the reader has gone away.
   */
  async write(content: string | Uint8Array): Promise<void> {
    if (content.length === 0) return;
    const error = await new Promise<NodeJS.ErrnoException | null | undefined>((resolve) => {
      this.#stream.write(content, resolve);
    });
    if (error === null || error === undefined) return;
    const closed = error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED';
    throw closed ? new OutputClosedError() : error;
  }

  /** Writes `value` as one JSON document, piece by piece. */
  async writeJson(value: unknown): Promise<void> {
    let text = '';
    for (const piece of jsonPieces(value)) {
      text += piece;
      if (text.length >= GATHERED) {
        await this.write(text);
        text = '';
      }
    }
    await this.write(`${text}\n`);
  }
}
