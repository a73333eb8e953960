//! Mutated inputs for every decoder and parser, and what these may do with them: for tests only.
//!
//! A [`Target`] is something that reads bytes it cannot trust. [`check`] hands each one thousands of inputs:
//! half are a sample with [`damage`] anywhere, half are forged by somebody who knows the format, with lengths
//! and checksums that fit, so that they reach what lies behind those. No input may end in a panic, write
//! beside its destination ([`Guarded`]) or take more memory than the target states.
//!
//! The inputs follow from fixed seeds: a failure shows again in the next run. `LSIO_MUTATIONS` is their number
//! for each row of the table, 10000 without it; `LSIO_MUTATIONS_PART` is another number for other inputs.
//!
//! ```
//! use lsio_mutation::{CountingAllocator, Outcome, Random, Target, check};
//!
//! #[global_allocator]
//! static ALLOCATOR: CountingAllocator = CountingAllocator;
//!
//! /// A length, then as many bytes.
//! struct Prefixed;
//!
//! impl Target for Prefixed {
//!     fn row(&self) -> String {
//!         "prefixed".to_owned()
//!     }
//!     fn sample(&self, random: &mut Random) -> Vec<u8> {
//!         let len = random.below(100);
//!         [&[len as u8][..], &random.bytes(len)].concat()
//!     }
//!     fn forge(&self, random: &mut Random) -> Vec<u8> {
//!         self.sample(random)
//!     }
//!     fn decode(&self, input: &[u8]) -> Outcome {
//!         match input.split_first() {
//!             Some((&len, rest)) if rest.len() == usize::from(len) => Outcome::Decoded,
//!             _ => Outcome::Refused,
//!         }
//!     }
//!     fn most_memory(&self, _: u64) -> u64 {
//!         0
//!     }
//! }
//!
//! check(&[Box::new(Prefixed)]);
//! ```

mod allocation;
mod damage;
mod guarded;
mod random;
mod row;
mod target;
mod unsafe_counting_allocator;
mod virtual_memory;

pub use damage::{alter, damage, hostile_number};
pub use guarded::Guarded;
pub use random::Random;
pub use target::{Outcome, Target, check};
pub use unsafe_counting_allocator::CountingAllocator;
