// npm run test:mutations: a million mutated inputs for every decoder; prints how many reached each one's body.
//
//   npm run test:mutations                      1000000 inputs for each row of the table
//   npm run test:mutations -- --inputs 50000    as many
//   npm run test:mutations -- --part 3          other inputs than without it, and than with another number: for a run
//                                               in several parts
//   npm run test:mutations -- --sanitize        under AddressSanitizer, the decoders in C too: needs a nightly Rust
//                                               (rustup toolchain install nightly) and clang
//
// Built as the tests are: their checks of overflow find what a release wraps around.

import { parseArgs } from 'node:util';
import { reportAndExit, run } from './child-process.mjs';

const { values } = parseArgs({
  options: {
    inputs: { type: 'string', default: '1000000' },
    part: { type: 'string', default: '0' },
    sanitize: { type: 'boolean', default: false },
  },
});

const target = 'x86_64-unknown-linux-gnu';

/** An allocation above the 256 MiB that an xz stream may ask for is an error, whatever asks for it. */
const sanitizer = {
  RUSTFLAGS: '-Zsanitizer=address',
  CC_x86_64_unknown_linux_gnu: 'clang',
  CFLAGS_x86_64_unknown_linux_gnu: '-fsanitize=address',
  ASAN_OPTIONS: 'max_allocation_size_mb=300:allocator_may_return_null=0:detect_leaks=0',
};

const args = [
  ...(values.sanitize ? ['+nightly'] : []),
  'test',
  '--locked',
  ...['lsio_codecs', 'lsio_zarr', 'lsio_zip'].flatMap((crate) => ['-p', crate]),
  ...['--test', 'mutations'],
  ...(values.sanitize ? ['--target', target, '--target-dir', 'target/asan'] : []),
  ...['--', '--nocapture'],
];

await run('cargo', args, {
  env: {
    LSIO_MUTATIONS: values.inputs,
    LSIO_MUTATIONS_PART: values.part,
    // A message has the input; where it went wrong shows when that alone is run again.
    RUST_BACKTRACE: '0',
    ...(values.sanitize ? sanitizer : {}),
  },
}).catch(reportAndExit);
