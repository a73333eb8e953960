//! The read planner on a large request of small ranges.
#![allow(clippy::unwrap_used, missing_docs, reason = "benchmarks")]

use divan::Bencher;
use divan::counter::ItemsCount;
use lsio_io::plan::{Span, Wanted, merge, merge_by_object, split};
use lsio_io::{Key, ReadLimits};

const RANGES: u64 = 10_000;
const LIMITS: ReadLimits =
    ReadLimits { merge_gap: 4 << 10, max_merged: 4 << 20, max_request: 256 << 10 };

fn main() {
    divan::main();
}

/// Ranges of 3 KiB, one in each 4 KiB, in an order that visits every place once.
fn scattered() -> Vec<Wanted<u64>> {
    // 7919 is prime, so its multiples reach all numbers below RANGES.
    let place = |number: u64| number * 7919 % RANGES;
    (0..RANGES)
        .map(|tag| Wanted { span: Span::new(place(tag) << 12, 3 << 10).unwrap(), tag })
        .collect()
}

fn in_order() -> Vec<Wanted<u64>> {
    let mut ranges = scattered();
    ranges.sort_by_key(|range| range.span);
    ranges
}

#[divan::bench]
fn merge_in_order(bencher: Bencher) {
    let ranges = in_order();
    let bencher = bencher.counter(ItemsCount::new(ranges.len()));
    bencher.with_inputs(|| ranges.clone()).bench_values(|ranges| merge(ranges, &LIMITS));
}

#[divan::bench]
fn merge_scattered(bencher: Bencher) {
    let ranges = scattered();
    let bencher = bencher.counter(ItemsCount::new(ranges.len()));
    bencher.with_inputs(|| ranges.clone()).bench_values(|ranges| merge(ranges, &LIMITS));
}

#[divan::bench]
fn merge_in_100_objects(bencher: Bencher) {
    let keys: Vec<Key> = (0..100).map(|at| Key::new(&format!("c/{at}")).unwrap()).collect();
    let keyed = |(at, range): (usize, Wanted<u64>)| (keys[at % keys.len()].clone(), range);
    let ranges: Vec<_> = scattered().into_iter().enumerate().map(keyed).collect();
    let bencher = bencher.counter(ItemsCount::new(ranges.len()));
    bencher.with_inputs(|| ranges.clone()).bench_values(|ranges| merge_by_object(ranges, &LIMITS));
}

#[divan::bench]
fn split_one_gib(bencher: Bencher) {
    let whole = Span::new(123, 1 << 30).unwrap();
    bencher.bench(|| split(divan::black_box(whole), LIMITS.max_request, 4096).count());
}
