//! Properties of copies into large results: past the cache, in parts, and by the plain loops, the same bytes
//! come to the same places.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]
#![expect(unsafe_code, reason = "makes buffers that many threads could write to")]

use lsio_array::{DimensionPlacement, OutputBuffer, Region, StridedCopy, c_strides};
use lsio_io::Memory;
use proptest::prelude::*;

/// Large enough to be written past the cache.
const RESULT: usize = 9 << 20;

/// A chunk's shape, where it goes, and how much room there is around it.
fn placed() -> impl Strategy<Value = Vec<(u64, u64, u64)>> {
    let outer = (1..6u64, 0..3u64, 0..3u64);
    let row = (1..900u64, 0..90u64, 0..90u64);
    (prop::collection::vec(outer, 0..3), row).prop_map(|(mut outer, row)| {
        outer.push(row);
        outer
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_way_of_copying_writes_the_same(
        dimensions in placed(),
        element in prop::sample::select(vec![1usize, 2, 4, 8, 3]),
        shift in 0..200usize,
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..5),
    ) {
        let chunk: Vec<u64> = dimensions.iter().map(|&(len, _, _)| len).collect();
        let result: Vec<u64> = dimensions.iter().map(|&(len, a, b)| len + a + b).collect();
        let parts = dimensions.iter().map(|&(len, target_start, _)| DimensionPlacement {
            source_start: 0,
            source_step: 1,
            target_start,
            len,
        });
        let region = Region { output: 0, dimensions: parts.collect() };
        let (from, to) = (c_strides(&chunk).unwrap(), c_strides(&result).unwrap());
        let copy = StridedCopy::new(&region, &from, &to, element).unwrap();
        let source: Vec<u8> = (0..copy.source_end()).map(|at| (at % 251) as u8).collect();

        let mut expected = vec![255; RESULT];
        prop_assert!(copy.copy(&source, &mut expected[shift..]));

        let memory = Memory::new(64 << 20);
        let buffer = || {
            let mut lease = memory.reserve(1, 16 << 20).unwrap().lease(RESULT).unwrap();
            lease.fill(255);
            // SAFETY: this thread alone writes to it.
            unsafe { OutputBuffer::from_lease(lease) }
        };
        let whole = buffer();
        prop_assert!(whole.copy_from(&source, &copy, shift));
        prop_assert!(whole.take().unwrap()[..] == expected[..]);

        let in_parts = buffer();
        let mut ends: Vec<_> = cuts.iter().map(|cut| cut.index(source.len())).collect();
        ends.push(source.len());
        ends.sort_unstable();
        let mut start = 0;
        for end in ends {
            prop_assert!(in_parts.copy_part(&source[start..end], start, &copy, shift));
            start = end;
        }
        prop_assert!(!in_parts.copy_part(&[0], source.len(), &copy, shift));
        prop_assert!(in_parts.take().unwrap()[..] == expected[..]);
    }
}
