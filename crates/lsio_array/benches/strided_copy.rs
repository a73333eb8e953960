//! Copies of a chunk's region into a result.
#![allow(clippy::unwrap_used, missing_docs, reason = "benchmarks")]

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use lsio_array::{DimensionPlacement, Region, StridedCopy, c_strides};

/// A chunk of 1 MB of float32 and the result that it is a part of.
const CHUNK: [u64; 3] = [8, 180, 180];
const RESULT: [u64; 3] = [8, 720, 1440];
const ELEMENT: usize = 4;

fn main() {
    divan::main();
}

fn run(bencher: Bencher, copy: &StridedCopy) {
    let source = vec![1u8; copy.source_end()];
    let mut target = vec![0u8; copy.target_end()];
    bencher
        .counter(BytesCount::new(copy.bytes()))
        .bench_local(|| copy.copy(black_box(&source), black_box(&mut target)));
}

/// Every `step`th element of the chunk, to the middle of the result.
fn placed(step: u64) -> Region {
    let part = |(&len, target_start)| DimensionPlacement {
        source_start: 0,
        source_step: step,
        target_start,
        len: len / step,
    };
    Region { output: 0, dimensions: CHUNK.iter().zip([0, 180, 540]).map(part).collect() }
}

/// Strides of a chunk whose axes are stored in the opposite order.
fn f_strides() -> Vec<u64> {
    vec![1, CHUNK[0], CHUNK[0] * CHUNK[1]]
}

#[divan::bench]
fn whole_chunk_into_a_larger_result(bencher: Bencher) {
    let (chunk, result) = (c_strides(&CHUNK).unwrap(), c_strides(&RESULT).unwrap());
    run(bencher, &StridedCopy::new(&placed(1), &chunk, &result, ELEMENT).unwrap());
}

#[divan::bench]
fn whole_chunk_as_it_is(bencher: Bencher) {
    let chunk = c_strides(&CHUNK).unwrap();
    let copy = StridedCopy::new(&placed(1).at_origin(), &chunk, &chunk, ELEMENT).unwrap();
    run(bencher, &copy);
}

#[divan::bench]
fn every_second_element(bencher: Bencher) {
    let (chunk, result) = (c_strides(&CHUNK).unwrap(), c_strides(&RESULT).unwrap());
    run(bencher, &StridedCopy::new(&placed(2), &chunk, &result, ELEMENT).unwrap());
}

#[divan::bench]
fn transposed_chunk(bencher: Bencher) {
    let result = c_strides(&RESULT).unwrap();
    run(bencher, &StridedCopy::new(&placed(1), &f_strides(), &result, ELEMENT).unwrap());
}

#[divan::bench]
fn working_it_out(bencher: Bencher) {
    let (chunk, result) = (c_strides(&CHUNK).unwrap(), c_strides(&RESULT).unwrap());
    let placement = placed(1);
    bencher.bench(|| StridedCopy::new(black_box(&placement), &chunk, &result, ELEMENT));
}
