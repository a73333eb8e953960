// What is measured against object stores: contests of one data set on one server behind one latency.

/**
 * Milliseconds that the fault proxy adds to each request, and the requests that programs may have under way
 * then: at 1 GB/s 100 ms are fifty objects of 2 MiB, and twice as many leave room; 128 is also the most that
 * light-speed-io has under way at one host. Without latency there is no proxy.
 */
export const LATENCIES = [
  { milliseconds: 0, inFlight: 16 },
  { milliseconds: 20, inFlight: 64 },
  { milliseconds: 100, inFlight: 128 },
];

/** Each data set: what reads it, and whether what must hold is that of plain or of compressed chunks. */
const DATA_SETS = [
  { dataSet: 'plain', kind: 'plain', programs: ['lsio', 'discard'] },
  {
    dataSet: 'climate-zstd',
    kind: 'compressed',
    programs: ['lsio', 'discard', 'zarr-python+obstore', 'tensorstore', 'zarrs', 'zarrs-threads'],
  },
  {
    dataSet: 'plain-sharded',
    kind: 'sharded',
    programs: ['lsio', 'zarr-python+obstore', 'tensorstore'],
  },
];

/** All contests. */
export function contestsOf() {
  return ['s3', 'http'].flatMap((server) =>
    DATA_SETS.flatMap(({ dataSet, kind, programs }) =>
      // Requests are counted at the proxy.
      LATENCIES.filter(({ milliseconds }) => kind !== 'sharded' || milliseconds === 20).map(
        ({ milliseconds, inFlight }) => ({
          id: `${server}/${dataSet}/${milliseconds}ms`,
          server,
          dataSet,
          kind,
          milliseconds,
          inFlight,
          programs,
        }),
      ),
    ),
  );
}
