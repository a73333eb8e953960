// A batch of chunks as it crosses from the core: one table of numbers, and buffers that chunks may share.

import { HeldChunk } from './chunk.js';
import type { DataType, ElementData, ElementForm } from './data-type.js';
import { HeldMemory } from './held-memory.js';
import type { NativeBatch, NativeTexts } from './native-module.js';
import { heldTexts, viewOf, type ElementKind } from './nd-array.js';
import { numbersAt } from './read-region.js';

// The table starts with the rank of the chunk grid and the rank of the chunks.
const HEAD_LENGTH = 2;
// Of each chunk: the number of its buffer (or of its texts), its first byte there, its bytes. Then its
// coordinates in the grid, its origin, its shape and its stride.
const FIXED_ENTRIES = 3;

/** Chunks of a reader, to be taken one by one. */
export class ChunkBatch<D extends DataType, F extends ElementForm | undefined> {
  readonly #kind: ElementKind;
  readonly #table: Float64Array;
  readonly #gridRank: number;
  readonly #rank: number;
  readonly #buffers: readonly ArrayBuffer[];
  readonly #memory: readonly HeldMemory[];
  readonly #texts: readonly NativeTexts[] | undefined;
  readonly #step: number;
  /** Where the next chunk begins in the table. */
  #at = HEAD_LENGTH;

  constructor(kind: ElementKind, { table, buffers, holders, texts }: NativeBatch) {
    this.#kind = kind;
    this.#table = table;
    this.#gridRank = table[0] ?? 0;
    this.#rank = table[1] ?? 0;
    this.#step = FIXED_ENTRIES + this.#gridRank + 3 * this.#rank;
    this.#buffers = buffers;
    this.#memory = buffers.map((buffer, index) => new HeldMemory([buffer], holders[index] ?? 0));
    this.#texts = texts;
  }

  /** Whether all chunks were taken. */
  get isEmpty(): boolean {
    return this.#at >= this.#table.length;
  }

  /** Whether at least half of the chunks were taken. */
  get isHalfTaken(): boolean {
    return 2 * this.#at >= this.#table.length;
  }

  /** The next chunk of fixed-size elements. */
  take(): HeldChunk<ElementData<D, F>> | undefined {
    if (this.isEmpty || this.#texts !== undefined) return undefined;
    const table = this.#table;
    const at = this.#at;
    this.#at += this.#step;
    const index = table[at] as number;
    const start = table[at + 1] as number;
    const data = viewOf(this.#kind, this.#buffers[index], start, table[at + 2] as number);
    return this.#chunk(at, data as unknown as ElementData<D, F>, this.#memory[index]);
  }

  /** The next chunk of texts. */
  async takeTexts(
    signal: AbortSignal | undefined,
  ): Promise<HeldChunk<ElementData<D, F>> | undefined> {
    if (this.isEmpty || this.#texts === undefined) return undefined;
    const at = this.#at;
    // At once: what is released meanwhile is what comes after it.
    this.#at += this.#step;
    const texts = this.#texts[this.#table[at] as number] as NativeTexts;
    const { data, memory } = await heldTexts(this.#kind, texts, signal);
    return this.#chunk(at, data as ElementData<D, F>, memory);
  }

  /** Gives the memory of all chunks back that were not taken. */
  release(): void {
    for (; !this.isEmpty; this.#at += this.#step) {
      const index = this.#table[this.#at] as number;
      const texts = this.#texts?.[index];
      const memory =
        texts === undefined ? this.#memory[index] : new HeldMemory([texts.offsets, texts.bytes], 1);
      memory?.release();
    }
  }

  /** The chunk at `at` of the table, whose elements are in `data`. */
  #chunk(
    at: number,
    data: ElementData<D, F>,
    memory: HeldMemory | undefined,
  ): HeldChunk<ElementData<D, F>> {
    const table = this.#table;
    const rank = this.#rank;
    const coords = at + FIXED_ENTRIES;
    const origin = coords + this.#gridRank;
    return new HeldChunk(
      numbersAt(table, coords, this.#gridRank),
      numbersAt(table, origin, rank),
      data,
      numbersAt(table, origin + rank, rank),
      numbersAt(table, origin + 2 * rank, rank),
      memory,
    );
  }
}
