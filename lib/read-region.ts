// The regions of one read, which cross from the core as one list of numbers.

/** Where a region lies in the bytes of a read. */
export interface ReadRegion {
  /** First byte. */
  readonly offset: number;
  /** Number of bytes. */
  readonly length: number;
  /** Elements per dimension. */
  readonly shape: number[];
  /** Distance in elements between neighbours, per dimension. */
  readonly stride: number[];
}

/** What the core packed: for each region its offset, length and rank, then its shape, then its stride. */
export function unpackRegions(packed: Float64Array): ReadRegion[] {
  const regions: ReadRegion[] = [];
  let at = 0;
  while (at < packed.length) {
    const offset = packed[at] as number;
    const length = packed[at + 1] as number;
    const rank = packed[at + 2] as number;
    const shape = numbersAt(packed, at + 3, rank);
    const stride = numbersAt(packed, at + 3 + rank, rank);
    regions.push({ offset, length, shape, stride });
    at += 3 + 2 * rank;
  }
  return regions;
}

/** `count` numbers as a plain array. */
export function numbersAt(packed: Float64Array, start: number, count: number): number[] {
  const numbers: number[] = [];
  for (let index = start; index < start + count; index += 1) numbers.push(packed[index] as number);
  return numbers;
}
