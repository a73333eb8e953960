/// <reference lib="esnext.disposable" preserve="true" />

/**
 * Loads and processes large, chunked, n-dimensional arrays as fast as the CPU and the I/O subsystem
 * allow: decoded off the event loop on every core, under one memory cap for the process.
 *
 * @packageDocumentation
 */

export { LsioArray, type Codec } from './array.js';
export type { Chunk } from './chunk.js';
export { ChunkReader } from './chunk-reader.js';
export { registerCodec, type DecodeFunction } from './codec-functions.js';
export type {
  BigIntDataType,
  BytesDataType,
  ComplexDataType,
  DataType,
  DataTypeInfo,
  DataTypeQuery,
  ElementBits,
  ElementData,
  ElementForm,
  ElementViews,
  FieldPath,
  Float16Data,
  MatchingDataType,
  NumberDataType,
  NumberForm,
  PlainElementData,
  RawDataType,
  Scalar,
  SmallComplexDataType,
  SmallFloatDataType,
  StructField,
  TextDataType,
  TimeDataType,
  Utf8Data,
  VariableLengthDataType,
} from './data-type.js';
export {
  configure,
  engineInfo,
  memoryUsage,
  versions,
  type EngineInfo,
  type MemoryUsage,
  type StoreStats,
  type Versions,
} from './engine.js';
export { isLsioError, LsioError, type LsioErrorCode, type LsioErrorDetails } from './errors.js';
export { LsioGroup, type GroupMember } from './group.js';
export type { Attributes, JsonValue } from './json.js';
export { deleteMemoryStore, writeMemoryStore, type MemoryLocation } from './memory-store.js';
export type { NdArray } from './nd-array.js';
export { open, openArray, openGroup, type Location } from './open.js';
export type {
  AbortOptions,
  ByteSize,
  ConfigureOptions,
  FieldOptions,
  GetChunkOptions,
  GetManyOptions,
  GetOptions,
  IoMode,
  MembersOptions,
  OpenOptions,
  Progress,
  ReadChunksOptions,
  ReadMissing,
  ReadOptions,
  ScanOptions,
  TreeOptions,
} from './options.js';
export type { StorageOptions } from './storage-options.js';
export type { ReadStats } from './read-statistics.js';
export {
  slice,
  type ArrayMask,
  type BlockSelection,
  type DimensionMask,
  type FullSlice,
  type IndexArray,
  type NamedSelection,
  type PointCoordinates,
  type Selection,
  type SelectionEntry,
  type Slice,
} from './selection.js';
