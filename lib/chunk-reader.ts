// Iterates over decoded chunks: batches cross from the core, chunks are handed out one by one.

import { createChunk, releaseChunk, type Chunk } from './chunk.js';
import type { DataType, ElementData, ElementForm } from './data-type.js';
import { unwrap } from './errors.js';
import type { NativeChunk, NativeReader } from './native-module.js';
import { elementsOf, type ElementKind } from './nd-array.js';
import type { ReadStats } from './read-statistics.js';

// A crossing costs 50-70 us when it is awaited alone; 32 chunks make that 2 us for each.
const MAX_BATCH = 32;

interface ReaderParts {
  readonly reader: NativeReader;
  readonly kind: ElementKind;
  readonly signal: AbortSignal | undefined;
}

let construct: (parts: ReaderParts) => ChunkReader;

/**
 * Decoded chunks, one after the other, for `for await`.
 *
 * Reading goes on in the background, as far ahead as the memory budget allows. It stops, and memory
 * of chunks that were not taken goes back, on `break`, `return()`, `close()`, the end of an
 * `await using` block, and an abort.
 */
export class ChunkReader<
  D extends DataType = DataType,
  F extends ElementForm | undefined = undefined,
>
  implements AsyncIterableIterator<Chunk<D, F>, undefined>, AsyncDisposable
{
  readonly #parts: ReaderParts;
  readonly #onAbort: () => void;
  /** Chunks of the last batch that were not taken yet. */
  #waiting: NativeChunk[] = [];
  /** The last `next()`: they are served in turn. */
  #last: Promise<void> = Promise.resolve();
  #ended = false;
  /** Aborted, and no `next()` has said so yet. */
  #abortUnreported = false;

  static {
    construct = (parts) => new ChunkReader(parts);
  }

  private constructor(parts: ReaderParts) {
    this.#parts = parts;
    this.#onAbort = () => {
      this.#abortUnreported = true;
      this.#end();
    };
    if (parts.signal?.aborted === true) this.#onAbort();
    else parts.signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** What reading cost so far: a fresh copy of the counters with each access. */
  get stats(): ReadStats {
    return this.#parts.reader.stats();
  }

  /**
   * The next chunk.
   *
   * @throws {LsioError} if a chunk cannot be read; the reader is at its end then.
   * @throws `signal.reason`, once, if the call was aborted.
   */
  async next(): Promise<IteratorResult<Chunk<D, F>, undefined>> {
    const previous = this.#last;
    let finish: (() => void) | undefined;
    this.#last = new Promise<void>((resolve) => {
      finish = resolve;
    });
    await previous;
    // Awaited here, so that the stack of an error leads to the caller.
    try {
      return await this.#next();
    } finally {
      finish?.();
    }
  }

  /** Stops reading; for `break` in `for await`. */
  return(): Promise<IteratorResult<Chunk<D, F>, undefined>> {
    this.#end();
    return Promise.resolve({ done: true, value: undefined });
  }

  /** Stops reading and gives back the memory of chunks that were not taken. Further calls do nothing. */
  close(): Promise<void> {
    this.#end();
    return Promise.resolve();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #next(): Promise<IteratorResult<Chunk<D, F>, undefined>> {
    const { kind, signal } = this.#parts;
    try {
      await this.#fill();
      const chunk = this.#waiting.shift();
      if (this.#abortUnreported) signal?.throwIfAborted();
      if (chunk === undefined) return await this.return();
      const data = (await elementsOf(kind, chunk, signal)) as ElementData<D, F>;
      return { done: false, value: createChunk(data, chunk) };
    } catch (error) {
      this.#end();
      this.#abortUnreported = false;
      throw error;
    }
  }

  /** Fetches a batch where none is left. */
  async #fill(): Promise<void> {
    if (this.#waiting.length > 0 || this.#ended) return;
    const result = await this.#parts.reader.nextBatch(MAX_BATCH);
    if (!this.#ended) {
      this.#waiting = unwrap(result);
    } else if ('ok' in result) {
      // Closed or aborted meanwhile: nobody waits for these any more.
      for (const chunk of result.ok) releaseChunk(chunk);
    }
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    const { signal, reader } = this.#parts;
    signal?.removeEventListener('abort', this.#onAbort);
    reader.close();
    for (const chunk of this.#waiting.splice(0)) releaseChunk(chunk);
  }
}

/** A reader over what the core reads; without a native reader it is at its end. */
export function createChunkReader<D extends DataType, F extends ElementForm | undefined>(
  parts: ReaderParts,
): ChunkReader<D, F> {
  return construct(parts) as unknown as ChunkReader<D, F>;
}
