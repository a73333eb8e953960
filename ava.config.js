// The tests of the public API run against dist/ and index.d.ts, that is what users get.
export default {
  files: ['__test__/**/*.test.ts'],
  extensions: { ts: 'module' },
  nodeArguments: ['--import', '@oxc-node/core/register'],
  // A process for each file: a native abort stays in one of them.
  workerThreads: false,
  timeout: '2m',
};
