// The programs that read from object stores, and the command line that starts each.

import { join } from 'node:path';

const python = (tools, { url, rounds, inFlight }, name) => [
  ...[tools.python, join(import.meta.dirname, 'peers/stores.py'), name],
  ...['whole', url, String(rounds), `inflight=${inFlight}`],
];

const zarrs = (tools, { url, rounds, inFlight }, name) => [
  ...[tools.zarrs, name, 'whole', url, String(rounds), `inflight=${inFlight}`],
];

/**
 * By name. `list` of a place is a file with the URLs of all objects, those of S3 signed.
 *
 * @type {Record<string, { kind: 'own' | 'ceiling' | 'peer', needs: string,
 *   command: (tools: object, place: object, name: string) => string[] }>}
 */
export const PROGRAMS = {
  // As it comes: how many requests it has under way it finds out itself.
  lsio: {
    kind: 'own',
    needs: 'node',
    command: (tools, { url, rounds }) => [
      ...[tools.node, join(import.meta.dirname, '../programs/lsio.mjs')],
      ...['whole', url, String(rounds)],
    ],
  },
  discard: {
    kind: 'ceiling',
    needs: 'discard',
    command: (tools, { list, rounds, inFlight }) => [
      ...[tools.discard, 'whole', list, String(rounds), `inflight=${inFlight}`],
    ],
  },
  'zarr-python+obstore': { kind: 'peer', needs: 'python', command: python },
  tensorstore: { kind: 'peer', needs: 'python', command: python },
  zarrs: { kind: 'peer', needs: 'zarrs', command: zarrs },
  'zarrs-threads': { kind: 'peer', needs: 'zarrs', command: zarrs },
};
