// Iterates over decoded chunks: batches cross from the core, chunks are handed out one by one.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { ChunkBatch } from './chunk-batch.js';
import type { Chunk } from './chunk.js';
import type { DataType, ElementForm } from './data-type.js';
import { unwrap } from './errors.js';
import type { NativeBatch, NativeReader, NativeResult } from './native-module.js';
import { elementKind, type ElementKind } from './nd-array.js';
import type { ReadStats } from './read-statistics.js';

interface ReaderParts {
  readonly reader: NativeReader;
  readonly kind: ElementKind;
  readonly signal: AbortSignal | undefined;
  /** Whether the next batch may be fetched while the last one is being consumed. */
  readonly fetchesAhead: boolean;
}

let construct: (parts: ReaderParts) => ChunkReader;

/**
 * Decoded chunks, one after the other, for `for await`.
 *
 * Reading goes on in the background, some chunks ahead: up to 16 MiB, or two chunks, for each thread, as
 * far as the memory budget allows. It stops, and memory of chunks that were not taken goes back, on
 * `break`, `return()`, `close()`, the end of an `await using` block, and an abort.
 */
export class ChunkReader<
  D extends DataType = DataType,
  F extends ElementForm | undefined = undefined,
>
  implements AsyncIterableIterator<Chunk<D, F>, undefined>, AsyncDisposable
{
  readonly #parts: ReaderParts;
  readonly #onAbort: () => void;
  /** The batch that chunks are taken from. */
  #batch: ChunkBatch<D, F> | undefined;
  /** The next batch, on its way. */
  #fetching: Promise<NativeResult<NativeBatch>> | undefined;
  /** Settles when the event loop has turned since the batch came. */
  #turn: Promise<void> | undefined;
  /** The last `next()` that could not be served at once: they are served in turn. */
  #last: Promise<void> = Promise.resolve();
  #unserved = 0;
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
  next(): Promise<IteratorResult<Chunk<D, F>, undefined>> {
    // Most calls: a chunk of the last batch, and nobody is before this call.
    if (this.#unserved === 0 && !this.#abortUnreported) {
      const value = this.#batch?.take();
      if (value !== undefined) {
        this.#fetchAhead();
        return Promise.resolve({ done: false, value });
      }
    }
    return this.#inTurn();
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

  async #inTurn(): Promise<IteratorResult<Chunk<D, F>, undefined>> {
    const previous = this.#last;
    let finish: (() => void) | undefined;
    this.#last = new Promise<void>((resolve) => {
      finish = resolve;
    });
    this.#unserved += 1;
    await previous;
    // Awaited here, so that the stack of an error leads to the caller.
    try {
      return await this.#next();
    } finally {
      this.#unserved -= 1;
      finish?.();
    }
  }

  async #next(): Promise<IteratorResult<Chunk<D, F>, undefined>> {
    const { signal } = this.#parts;
    try {
      await this.#fill();
      const value = this.#batch?.take() ?? (await this.#batch?.takeTexts(signal));
      if (this.#abortUnreported) signal?.throwIfAborted();
      if (value === undefined) return await this.return();
      this.#fetchAhead();
      return { done: false, value };
    } catch (error) {
      this.#end();
      this.#abortUnreported = false;
      throw error;
    }
  }

  /** Fetches a batch where none is left. */
  async #fill(): Promise<void> {
    if (this.#ended || this.#batch?.isEmpty === false) return;
    const fetching = this.#fetching ?? this.#parts.reader.nextBatch();
    this.#fetching = undefined;
    const result = await fetching;
    // Node settles batches that are ready one after the other, up to a thousand, before its event loop
    // goes on; memory that was released comes back with its next turn.
    await this.#turn;
    // Closed or aborted meanwhile: nobody waits for these any more.
    if (this.#ended) releaseBatch(result);
    else {
      this.#batch = new ChunkBatch(this.#parts.kind, unwrap(result));
      this.#turn = nextTurn();
    }
  }

  /** Fetches the next batch when half of the last one is taken, so that it is there when it is needed. */
  #fetchAhead(): void {
    if (!this.#parts.fetchesAhead || this.#ended || this.#fetching !== undefined) return;
    if (this.#batch?.isHalfTaken !== true) return;
    this.#fetching = this.#parts.reader.nextBatch();
    // Whoever takes it is told; it is no unhandled rejection until then.
    this.#fetching.catch(() => undefined);
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    const { signal, reader } = this.#parts;
    signal?.removeEventListener('abort', this.#onAbort);
    reader.close();
    this.#batch?.release();
    void this.#fetching?.then(releaseBatch, () => undefined);
  }
}

/** Gives the memory of a batch back that nobody wants. */
function releaseBatch(result: NativeResult<NativeBatch>): void {
  // The kind does not matter to chunks that nobody sees.
  if ('ok' in result) new ChunkBatch(elementKind('uint8', undefined), result.ok).release();
}

/** A reader over what the core reads. */
export function createChunkReader<D extends DataType, F extends ElementForm | undefined>(
  parts: ReaderParts,
): ChunkReader<D, F> {
  return construct(parts) as unknown as ChunkReader<D, F>;
}
