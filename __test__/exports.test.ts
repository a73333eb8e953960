// What the package exports: a name that appears here or goes is a change for users.

import test from 'ava';
import * as lsio from 'light-speed-io';

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
    'slice',
    'versions',
    'writeMemoryStore',
  ]);
});

test('the members of an array, a group and a reader', (t) => {
  const members = (constructor: { prototype: object }): string[] =>
    Object.getOwnPropertyNames(constructor.prototype).sort();
  t.deepEqual(members(lsio.LsioArray), [
    'constructor',
    'get',
    'getChunk',
    'getMany',
    'is',
    'mean',
    'readChunks',
    'storedBytes',
  ]);
  t.deepEqual(members(lsio.LsioGroup), ['constructor', 'members', 'open']);
  t.deepEqual(members(lsio.ChunkReader), ['close', 'constructor', 'next', 'return', 'stats']);
});
