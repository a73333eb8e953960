// What the package exports: a name that appears here or goes is a change for users.

import test from 'ava';
import * as lsio from 'light-speed-io';
import * as adapter from 'light-speed-io/zarrita';
import * as zarrita from 'zarrita';

test('the exported names', (t) => {
  t.deepEqual(Object.keys(lsio).sort(), [
    'ChunkReader',
    'LsioArray',
    'LsioError',
    'LsioGroup',
    'configure',
    'deleteMemoryStore',
    'engineInfo',
    'isLsioError',
    'memoryUsage',
    'open',
    'openArray',
    'openGroup',
    'registerCodec',
    'slice',
    'versions',
    'writeMemoryStore',
  ]);
});

test("the names that the adapter has instead of zarrita's, and beside them", (t) => {
  const own = Object.entries(adapter).filter(
    ([name, value]) => (zarrita as { readonly [name: string]: unknown })[name] !== value,
  );
  t.deepEqual(own.map(([name]) => name).sort(), [
    'LsioStore',
    'get',
    'open',
    'withByteCaching',
    'withConsolidatedMetadata',
    'withMaybeConsolidatedMetadata',
    'withNativeReads',
    'withRangeCoalescing',
  ]);
  t.deepEqual(
    Object.keys(zarrita).filter((name) => !(name in adapter)),
    [],
  );
});

test('the members of an array, a group and a reader', (t) => {
  const members = (constructor: { prototype: object }): string[] =>
    Object.getOwnPropertyNames(constructor.prototype).sort();
  t.deepEqual(members(lsio.LsioArray), [
    'chunkEdges',
    'constructor',
    'get',
    'getBlocks',
    'getChunk',
    'getMany',
    'getMask',
    'getPoints',
    'is',
    'mean',
    'readChunks',
    'select',
    'storedBytes',
  ]);
  t.deepEqual(members(lsio.LsioGroup), ['constructor', 'members', 'open', 'tree']);
  t.deepEqual(members(lsio.ChunkReader), ['close', 'constructor', 'next', 'return', 'stats']);
});
