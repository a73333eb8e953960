// An open array: what it is, and the calls that read it.

import { runCall } from './abort.js';
import { expandRuns, type EdgeRun } from './chunk-edges.js';
import { createChunkReader, type ChunkReader } from './chunk-reader.js';
import {
  matchesQuery,
  type DataType,
  type DataTypeInfo,
  type DataTypeQuery,
  type ElementData,
  type ElementForm,
  type ElementView,
  type FieldPath,
  type MatchingDataType,
  type Scalar,
  type VariableLengthDataType,
} from './data-type.js';
import { unwrap } from './errors.js';
import { detach, memoryOnItsWay } from './held-memory.js';
import { parseTaggedJson, type Attributes, type JsonValue } from './json.js';
import { sendLists, sendListsAtOnce } from './list-transfer.js';
import type {
  NativeArray,
  NativeCall,
  NativeList,
  NativeRead,
  NativeReadOptions,
  NativeResult,
  NativeSummary,
} from './native-module.js';
import { heldArrays, nativeReadOptions, sharedBytes, type ParsedRead } from './native-read.js';
import { checkOut, elementKind, HeldArray, type ElementKind, type NdArray } from './nd-array.js';
import { parseOptions } from './option-checks.js';
import {
  ABORT_OPTIONS,
  GET_CHUNK_OPTIONS,
  GET_MANY_OPTIONS,
  GET_OPTIONS,
  READ_CHUNKS_OPTIONS,
  SCAN_OPTIONS,
  SUMMARY_OPTIONS,
  type AbortOptions,
  type FieldOptions,
  type GetChunkOptions,
  type GetManyOptions,
  type GetOptions,
  type ReadChunksOptions,
  type ReadMissing,
  type ScanOptions,
  type SummaryOptions,
} from './options.js';
import { unpackRegions, type ReadRegion } from './read-region.js';
import {
  maskOf,
  packChunkCoords,
  packPoints,
  packSelection,
  packSelections,
  selectionByName,
  type ArrayMask,
  type BlockSelection,
  type NamedSelection,
  type PointCoordinates,
  type SelectedList,
  type Selection,
} from './selection.js';
import { copyInSlices } from './turns.js';

/** A codec of an array, as its metadata has it. */
export interface Codec {
  /** Its name in the format's own words, such as `'zstd'`. */
  readonly name: string;
  /** Its parameters. */
  readonly configuration: { readonly [name: string]: JsonValue };
}

/** What the core says of an array. */
interface ArrayMetadata {
  readonly path: string;
  readonly shape: readonly number[];
  readonly chunks: readonly number[];
  readonly shards: readonly number[] | null;
  /** `[edge, how many chunks have it]`, one after the other, for each dimension. */
  readonly chunkEdges: readonly (readonly EdgeRun[])[] | null;
  readonly chunkGridShape: readonly number[];
  readonly dtype: DataType;
  readonly dtypeInfo: DataTypeInfo;
  readonly attrs: Attributes;
  readonly dimensionNames: readonly (string | null)[] | null;
  readonly fillValue: JsonValue;
  readonly zarrFormat: 2 | 3;
  readonly codecs: readonly Codec[];
  readonly nbytes: number | null;
}

/** What a call reads: the array, or one field of its records as an array. */
interface ReadTarget {
  readonly native: NativeArray;
  readonly dtype: DataType;
  /** Dimensions that selections must have, and those of the field that they may have beside. */
  readonly rank: number;
  readonly fieldRank: number;
}

/** The read of one result in the core. */
type StartRead = (
  call: NativeCall | undefined,
  request: NativeReadOptions,
  out: Uint8Array | undefined,
  lists: NativeList[] | undefined,
) => Promise<NativeResult<NativeRead>>;

let construct: (array: NativeArray, readMissing: ReadMissing) => LsioArray;
let nativeOf: (array: LsioArray) => NativeArray;
let readMissingOf: (array: LsioArray) => ReadMissing;

/** A chunked array. `D` is its data type, as far as it is known: see {@link LsioArray.is}. */
export class LsioArray<D extends DataType = DataType> {
  readonly #native: NativeArray;
  /** What becomes of missing chunks where a read does not say. */
  readonly #readMissing: ReadMissing;
  /** Fields that were read, by their paths. */
  readonly #fields = new Map<string, ReadTarget>();

  /** Lengths of chunks as the core tells them, and one by one once somebody asks. */
  readonly #edgeRuns: ArrayMetadata['chunkEdges'];
  #chunkEdges: number[][] | undefined;

  /** Tells it from a group. */
  readonly kind = 'array';
  /** Where it is. */
  readonly path: string;
  /** Elements per dimension. */
  readonly shape: readonly number[];
  /**
   * Elements per dimension of one chunk; of an inner chunk where chunks are sharded; of the longest chunk
   * along each dimension where their lengths vary, see {@link LsioArray.chunkEdges}.
   */
  readonly chunks: readonly number[];
  /** Elements per dimension of one shard, where chunks are sharded; of the longest where they vary. */
  readonly shards: readonly number[] | undefined;
  /** Chunks per dimension. */
  readonly chunkGridShape: readonly number[];
  /** Data type of the elements. */
  readonly dtype: D;
  /** What its name leaves open: the size of an element, the unit of times, the fields of records. */
  readonly dtypeInfo: DataTypeInfo;
  /** The user's attributes. Integers beyond 2^53 are bigint. */
  readonly attrs: Attributes;
  /** Names of the dimensions, where the metadata has any. */
  readonly dimensionNames: readonly (string | null)[] | undefined;
  /** The value of elements in chunks that do not exist; `null` where a v2 array does not say. */
  readonly fillValue: Scalar<D> | null;
  /** Version of the Zarr format. */
  readonly zarrFormat: 2 | 3;
  /** What turns elements into bytes, in the order of encoding. */
  readonly codecs: readonly Codec[];
  /** Bytes of all decoded elements; `null` for elements that vary in length. */
  readonly nbytes: D extends VariableLengthDataType ? null : number;

  static {
    construct = (array, readMissing) => new LsioArray(array, readMissing);
    nativeOf = (array) => array.#native;
    readMissingOf = (array) => array.#readMissing;
  }

  private constructor(array: NativeArray, readMissing: ReadMissing) {
    this.#native = array;
    this.#readMissing = readMissing;
    const metadata = parseTaggedJson(array.metadataJson()) as unknown as ArrayMetadata;
    this.path = metadata.path;
    this.shape = metadata.shape;
    this.chunks = metadata.chunks;
    this.shards = metadata.shards ?? undefined;
    this.#edgeRuns = metadata.chunkEdges;
    this.chunkGridShape = metadata.chunkGridShape;
    this.dtype = metadata.dtype as D;
    this.dtypeInfo = metadata.dtypeInfo;
    this.attrs = metadata.attrs;
    this.dimensionNames = metadata.dimensionNames ?? undefined;
    this.fillValue = metadata.fillValue as Scalar<D> | null;
    this.zarrFormat = metadata.zarrFormat;
    this.codecs = metadata.codecs;
    this.nbytes = metadata.nbytes as D extends VariableLengthDataType ? null : number;
  }

  /** Whether the elements are of this data type, or of this family of data types. */
  is<Q extends DataTypeQuery>(query: Q): this is LsioArray<MatchingDataType<D, Q>> {
    return matchesQuery(this.dtype, query);
  }

  /**
   * Lengths of all chunks along each dimension, where they vary (a rectilinear chunk grid); of all shards
   * where chunks are sharded, whose inner chunks all have the same shape. Chunk `[i, j]` then has
   * `chunkEdges[0][i]` x `chunkEdges[1][j]` elements, the last ones as they are stored, which may be behind
   * the end of the array. `undefined` where all have the same shape.
   *
   * @throws {LsioError} `ERR_LSIO_BUDGET` for more than 4,194,304 chunks along a dimension.
   */
  get chunkEdges(): readonly (readonly number[])[] | undefined {
    this.#chunkEdges ??= this.#edgeRuns?.map((runs) => expandRuns(runs, this.path));
    return this.#chunkEdges;
  }

  /**
   * Bytes of all stored chunks, encoded.
   *
   * @throws {LsioError} `ERR_LSIO_UNSUPPORTED` where the store has no listings, as plain HTTP; `ERR_LSIO_ACCESS` where
   *   it refuses them; `ERR_LSIO_IO`.
   */
  async storedBytes(options?: AbortOptions): Promise<number> {
    const parsed = parseOptions('storedBytes', options, ABORT_OPTIONS);
    return unwrap(await runCall(parsed, () => this.#native.storedBytes()));
  }

  /** What is read by a call with this option `field`. */
  #target(field: string | undefined): ReadTarget {
    const rank = this.shape.length;
    if (field === undefined) {
      return { native: this.#native, dtype: this.dtype, rank, fieldRank: 0 };
    }
    let target = this.#fields.get(field);
    if (target === undefined) {
      const native = unwrap(this.#native.field(field));
      const { dtype, shape } = parseTaggedJson(native.metadataJson()) as unknown as ArrayMetadata;
      target = { native, dtype, rank, fieldRank: shape.length - rank };
      this.#fields.set(field, target);
    }
    return target;
  }

  /**
   * Reads a region, or every combination of the elements that lists and masks name along the dimensions.
   * Each chunk is read and decoded once. Long lists cross in slices between turns of the event loop and
   * are checked and sorted on other threads; while the call runs, a list takes 32 bytes for each index.
   *
   * @param selection - One entry per dimension; absent or null: everything.
   * @throws {LsioError} `ERR_LSIO_SELECTION`, `ERR_LSIO_BUDGET` for a result larger than one buffer can be,
   *   `ERR_LSIO_UNSUPPORTED` for a form (`as`) or a field that the elements do not have, or what is wrong with a chunk.
   */
  async get<F extends ElementForm<D> | undefined = undefined>(
    selection?: Selection | null,
    options?: GetOptions<D, F>,
  ): Promise<NdArray<D, F>>;
  async get<F extends ElementForm | undefined = undefined>(
    selection: Selection | null | undefined,
    options: FieldOptions<GetOptions<DataType, F, FieldPath<D>>>,
  ): Promise<NdArray<DataType, F>>;
  async get(selection?: Selection | null, options?: unknown): Promise<unknown> {
    return this.#read('get', options, (target, lists) => {
      const selected = packSelections([selection], target, lists);
      return (call, request, out, sent) => target.native.get(call, selected, request, out, sent);
    });
  }

  /**
   * Reads what entries for some dimensions, by their names, pick; the others are whole.
   *
   * @throws {LsioError} `ERR_LSIO_SELECTION` for a name that no dimension has, or more than one; else as
   *   `LsioArray.get`.
   */
  async select<F extends ElementForm<D> | undefined = undefined>(
    selection: NamedSelection,
    options?: GetOptions<D, F>,
  ): Promise<NdArray<D, F>>;
  async select<F extends ElementForm | undefined = undefined>(
    selection: NamedSelection,
    options: FieldOptions<GetOptions<DataType, F, FieldPath<D>>>,
  ): Promise<NdArray<DataType, F>>;
  async select(selection: NamedSelection, options?: unknown): Promise<unknown> {
    const selected = selectionByName(selection, this.dimensionNames, this.shape.length);
    return this.get(selected, options as GetOptions<D>);
  }

  /**
   * Reads single elements, as `vindex` of zarr-python does: element `i` of the result has the `i`th
   * coordinate along each dimension. Each chunk is read and decoded once; while the call runs, a point
   * takes 24 bytes and 8 for each list.
   *
   * @param coordinates - One entry per dimension: a list, or an integer that all points have.
   * @returns One dimension with an element for each point.
   * @throws {LsioError} as `LsioArray.get`.
   */
  async getPoints<F extends ElementForm<D> | undefined = undefined>(
    coordinates: PointCoordinates,
    options?: GetOptions<D, F>,
  ): Promise<NdArray<D, F>>;
  async getPoints<F extends ElementForm | undefined = undefined>(
    coordinates: PointCoordinates,
    options: FieldOptions<GetOptions<DataType, F, FieldPath<D>>>,
  ): Promise<NdArray<DataType, F>>;
  async getPoints(coordinates: PointCoordinates, options?: unknown): Promise<unknown> {
    return this.#read('getPoints', options, (target, lists) => {
      const packed = packPoints(coordinates, lists);
      return (call, request, out, sent) =>
        target.native.getPicked(call, 'points', packed, request, out, sent);
    });
  }

  /**
   * Reads the elements that a mask of the whole array names. Only chunks that hold some are read, each
   * once; while the call runs, the mask takes a byte for 7 elements.
   *
   * @param mask - A flag for each element in C order.
   * @returns One dimension, in C order of the array.
   * @throws {LsioError} as `LsioArray.get`.
   */
  async getMask<F extends ElementForm<D> | undefined = undefined>(
    mask: ArrayMask,
    options?: GetOptions<D, F>,
  ): Promise<NdArray<D, F>>;
  async getMask<F extends ElementForm | undefined = undefined>(
    mask: ArrayMask,
    options: FieldOptions<GetOptions<DataType, F, FieldPath<D>>>,
  ): Promise<NdArray<DataType, F>>;
  async getMask(mask: ArrayMask, options?: unknown): Promise<unknown> {
    return this.#read('getMask', options, (target, lists) => {
      lists.push(maskOf(mask, this.shape));
      return (call, request, out, sent) =>
        target.native.getPicked(call, 'mask', new Float64Array(0), request, out, sent);
    });
  }

  /**
   * Reads whole blocks by their place in the grid, as far as they lie inside the array, as block selections
   * of zarr-python do: blocks are chunks, or shards where the array has any.
   *
   * @param blocks - One entry per dimension: all, an integer, or a slice without a step. None of them drops
   *   its dimension.
   * @throws {LsioError} as `LsioArray.get`.
   */
  async getBlocks<F extends ElementForm<D> | undefined = undefined>(
    blocks: BlockSelection,
    options?: GetOptions<D, F>,
  ): Promise<NdArray<D, F>>;
  async getBlocks<F extends ElementForm | undefined = undefined>(
    blocks: BlockSelection,
    options: FieldOptions<GetOptions<DataType, F, FieldPath<D>>>,
  ): Promise<NdArray<DataType, F>>;
  async getBlocks(blocks: BlockSelection, options?: unknown): Promise<unknown> {
    return this.#read('getBlocks', options, (target, lists) => {
      const packed = packSelection(blocks, target, lists);
      return (call, request, out, sent) =>
        target.native.getPicked(call, 'blocks', packed, request, out, sent);
    });
  }

  /**
   * Reads several regions in one crossing; a chunk that several of them need is read once. Results of
   * elements of fixed size are views over one buffer.
   *
   * @returns A result for each selection, in their order.
   * @throws {LsioError} as `LsioArray.get`.
   */
  async getMany<F extends ElementForm<D> | undefined = undefined>(
    selections: readonly (Selection | null)[],
    options?: GetManyOptions<F>,
  ): Promise<NdArray<D, F>[]>;
  async getMany<F extends ElementForm | undefined = undefined>(
    selections: readonly (Selection | null)[],
    options: FieldOptions<GetManyOptions<F, FieldPath<D>>>,
  ): Promise<NdArray<DataType, F>[]>;
  async getMany(selections: readonly (Selection | null)[], options?: unknown): Promise<unknown> {
    const parsed = parseOptions('getMany', options, GET_MANY_OPTIONS);
    const { native, dtype, ...ranks } = this.#target(parsed.field);
    const kind = elementKind(dtype, parsed.as);
    const lists: SelectedList[] = [];
    const selected = packSelections(selections, ranks, lists);
    return runCall(parsed, async (call) => {
      const request = this.#request(kind, parsed);
      const sent = await sendLists(native, lists, parsed.signal);
      const read = unwrap(await native.get(call, selected, request, undefined, sent));
      return heldArrays(kind, read, parsed.signal);
    });
  }

  /**
   * Reads one whole chunk, in its full size also at the edge of the array.
   *
   * @param coords - Which chunk of the chunk grid.
   * @throws {LsioError} `ERR_LSIO_SELECTION` for coordinates outside the grid, or what is wrong with it.
   */
  async getChunk(coords: readonly number[], options?: GetChunkOptions): Promise<NdArray<D>> {
    const parsed = parseOptions('getChunk', options, GET_CHUNK_OPTIONS);
    const kind = elementKind(this.dtype, undefined);
    const packed = packChunkCoords(coords);
    return runCall(parsed, async (call) => {
      const request = this.#request(kind, parsed);
      const read = unwrap(await this.#native.getChunk(call, packed, request));
      const [held] = await heldArrays(kind, read, parsed.signal);
      return held as HeldArray<ElementData<D>>;
    });
  }

  /**
   * Decoded chunks of a region, each clipped to it, while others are still being read. Lists and masks along
   * dimensions have to be sorted, so that each chunk has one place in the result, and have 131,072 elements
   * together at most.
   *
   * @throws {LsioError} `ERR_LSIO_SELECTION`; `ERR_LSIO_UNSUPPORTED` for longer lists, and for a form (`as`) or a field
   *   that the elements do not have. What is wrong with a chunk is thrown by the iteration.
   */
  readChunks<F extends ElementForm<D> | undefined = undefined>(
    selection?: Selection | null,
    options?: ReadChunksOptions<F>,
  ): ChunkReader<D, F>;
  readChunks<F extends ElementForm | undefined = undefined>(
    selection: Selection | null | undefined,
    options: FieldOptions<ReadChunksOptions<F, FieldPath<D>>>,
  ): ChunkReader<DataType, F>;
  readChunks(selection?: Selection | null, options?: unknown): unknown {
    const parsed = parseOptions('readChunks', options, READ_CHUNKS_OPTIONS);
    const { signal, concurrency, order } = parsed;
    const { native, dtype, ...ranks } = this.#target(parsed.field);
    const kind = elementKind(dtype, parsed.as);
    const lists: SelectedList[] = [];
    const selected = packSelection(selection, ranks, lists);
    const request = this.#request(kind, parsed);
    const sent = sendListsAtOnce(native, lists);
    const reader = unwrap(
      native.readChunks(selected, request, concurrency, order === 'grid', sent),
    );
    // With a limit on chunks, none is fetched before it is asked for.
    const fetchesAhead = concurrency === undefined;
    return createChunkReader({ reader, kind, signal, fetchesAhead });
  }

  /**
   * Mean of all elements, as NumPy's with float64 accumulation: NaN if any of them is NaN or there are
   * none. Integers are summed exactly.
   *
   * @throws {LsioError} `ERR_LSIO_UNSUPPORTED` for anything but real numbers, or what is wrong with a
   *   chunk.
   */
  async mean(options?: ScanOptions): Promise<number> {
    const parsed = parseOptions('mean', options, SCAN_OPTIONS);
    const request = this.#request(elementKind(this.dtype, undefined), parsed);
    return unwrap(await runCall(parsed, (call) => this.#native.mean(call, request)));
  }

  /** Runs a read with one result, after its lists have crossed; `prepare` packs what is selected. */
  async #read(
    name: string,
    options: unknown,
    prepare: (target: ReadTarget, lists: SelectedList[]) => StartRead,
  ): Promise<HeldArray<unknown>> {
    const parsed = parseOptions(name, options, GET_OPTIONS);
    const { signal } = parsed;
    const target = this.#target(parsed.field);
    const { native, dtype } = target;
    const lists: SelectedList[] = [];
    const start = prepare(target, lists);
    const kind = elementKind(dtype, parsed.as);
    const out = parsed.out === undefined ? undefined : checkOut(kind, parsed.out);
    const request = this.#request(kind, parsed, out?.byteLength);
    const shared = out === undefined ? undefined : sharedBytes(out);
    const untilEnded = shared !== undefined;
    // The memory of a result that was just released serves this one.
    const onItsWay = memoryOnItsWay();
    if (onItsWay !== undefined) await onItsWay;
    return runCall({ ...parsed, untilEnded }, async (call) => {
      const sent = lists.length > 0 ? await sendLists(native, lists, signal) : undefined;
      const read = unwrap(await start(call, request, shared, sent));
      if (shared !== undefined) {
        const { shape, stride } = unpackRegions(read.layouts)[0] as ReadRegion;
        return new HeldArray<unknown>(out, shape, stride, undefined);
      }
      const [held] = await heldArrays(kind, read, signal);
      if (out === undefined) return held as HeldArray<unknown>;
      const { data, shape, stride } = held as HeldArray<ElementView>;
      await copyInSlices(data, out, signal);
      detach(data.buffer as ArrayBuffer);
      return new HeldArray<unknown>(out, shape, stride, undefined);
    });
  }

  /** A read as the core takes it. */
  #request(kind: ElementKind, options: ParsedRead, outBytes?: number): NativeReadOptions {
    const { readMissing = this.#readMissing } = options;
    return nativeReadOptions(kind, { ...options, readMissing }, outBytes);
  }
}

/** The public array for one of the core, whose reads treat missing chunks so unless they say otherwise. */
export function createArray(array: NativeArray, readMissing: ReadMissing): LsioArray {
  return construct(array, readMissing);
}

/** One field of the array's records, as an array of its own that has the dimensions of the field too. */
export function fieldArray(array: LsioArray, field: string): LsioArray {
  return construct(unwrap(nativeOf(array).field(field)), readMissingOf(array));
}

/** What the command line shows of all elements of an array. */
export type ArraySummary = NativeSummary;

/** Minimum, maximum, mean and missing elements of a whole array, folded in the core. */
export async function summarize(array: LsioArray, options?: SummaryOptions): Promise<ArraySummary> {
  const parsed = parseOptions('summarize', options, SUMMARY_OPTIONS);
  const request = nativeReadOptions(elementKind(array.dtype, undefined), parsed);
  return unwrap(await runCall(parsed, (call) => nativeOf(array).summary(call, request)));
}
