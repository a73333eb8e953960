// How the bytes of a read came, in words.

import type { ReadStats } from '../index.js';

/** Bytes by the way that they came. */
export type BytesByRoute = ReadStats['bytesByRoute'];

const ROUTE_NAMES: { readonly [R in keyof BytesByRoute]: string } = {
  resident: 'page cache',
  buffered: 'pread, buffered',
  uringDirect: 'io_uring, direct',
  preadDirect: 'pread, direct',
  memory: 'memory',
  objectStore: 'object store',
};

/** The ways that bytes came, most first, with their shares where there are several. */
export function servedText(bytes: BytesByRoute): string {
  const total = Object.values(bytes).reduce((sum, part) => sum + part, 0);
  const parts = (Object.keys(ROUTE_NAMES) as (keyof BytesByRoute)[])
    .map((route) => ({ name: ROUTE_NAMES[route], share: bytes[route] / total }))
    // Less than half a percent would be shown as 0 %.
    .filter(({ share }) => share >= 0.005)
    .toSorted((a, b) => b.share - a.share);
  if (parts.length === 1) return parts[0]?.name ?? '';
  return parts.map(({ name, share }) => `${name} ${(share * 100).toFixed(0)} %`).join(' + ') || '-';
}
