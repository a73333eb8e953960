//! Properties of the read planner.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;

use lsio_io::plan::{Placement, Span, Wanted, merge, merge_by_object, split};
use lsio_io::{Key, ReadLimits};
use proptest::prelude::*;

fn span() -> impl Strategy<Value = Span> {
    (0_u64..2000, prop_oneof![Just(0_u64), 1_u64..40, 1_u64..400])
        .prop_map(|(offset, len)| Span::new(offset, len).unwrap())
}

fn limits() -> impl Strategy<Value = ReadLimits> {
    (0_u64..60, 1_u64..500).prop_map(|(merge_gap, max_merged)| ReadLimits {
        merge_gap,
        max_merged,
        max_request: u64::MAX,
    })
}

fn tagged(spans: &[Span]) -> Vec<Wanted<usize>> {
    spans.iter().enumerate().map(|(tag, &span)| Wanted { span, tag }).collect()
}

fn bytes(spans: &[Span]) -> BTreeSet<u64> {
    spans.iter().flat_map(|span| span.offset()..span.end()).collect()
}

proptest! {
    #[test]
    fn every_wanted_byte_is_in_the_read_that_is_named(
        spans in prop::collection::vec(span(), 0..40), limits in limits(),
    ) {
        let plan = merge(tagged(&spans), &limits);
        prop_assert_eq!(plan.placements.len(), spans.len());
        for (i, &Placement { tag, read, offset, len }) in plan.placements.iter().enumerate() {
            prop_assert_eq!(tag, i);
            prop_assert_eq!(len, spans[i].len());
            prop_assert_eq!(plan.reads[read].offset() + offset, spans[i].offset());
            prop_assert!(offset + len <= plan.reads[read].len());
        }
    }

    #[test]
    fn reads_are_sorted_needed_and_bounded(
        spans in prop::collection::vec(span(), 0..40), limits in limits(),
    ) {
        let plan = merge(tagged(&spans), &limits);
        prop_assert!(plan.reads.is_sorted_by(|a, b| a.offset() <= b.offset() && a.end() <= b.end()));
        let longest = spans.iter().map(|span| span.len()).max().unwrap_or(0);
        for (i, read) in plan.reads.iter().enumerate() {
            prop_assert!(read.len() <= limits.max_merged.max(longest));
            prop_assert!(plan.placements.iter().any(|placement| placement.read == i));
            if read.len() > limits.max_merged {
                prop_assert!(spans.contains(read), "a read above the maximum is no single range");
            }
        }
    }

    #[test]
    fn only_gaps_and_what_the_maximum_tore_apart_are_over_read(
        spans in prop::collection::vec(span(), 0..40), limits in limits(),
    ) {
        let plan = merge(tagged(&spans), &limits);
        let wanted = bytes(&spans);
        let read: u64 = plan.reads.iter().map(|read| read.len()).sum();
        prop_assert_eq!(plan.over_read, read - wanted.len() as u64);
        // A zero-length range is wanted too, though it has no bytes: gaps end there.
        let starts: BTreeSet<u64> = spans.iter().map(|span| span.offset()).collect();
        let mut unwanted = 0;
        for byte in bytes(&plan.reads) {
            if starts.contains(&byte) {
                unwanted = 0;
            }
            unwanted = if wanted.contains(&byte) { 0 } else { unwanted + 1 };
            prop_assert!(unwanted <= limits.merge_gap);
        }
    }

    #[test]
    fn without_a_maximum_no_byte_is_read_twice_and_no_two_reads_are_near(
        spans in prop::collection::vec(span(), 0..40), merge_gap in 0_u64..60,
    ) {
        let limits = ReadLimits { merge_gap, max_merged: u64::MAX, max_request: u64::MAX };
        let plan = merge(tagged(&spans), &limits);
        for pair in plan.reads.windows(2) {
            prop_assert!(pair[1].offset() > pair[0].end() + merge_gap);
        }
    }

    #[test]
    fn objects_are_planned_apart(
        items in prop::collection::vec((0_usize..4, span()), 0..40), limits in limits(),
    ) {
        let key = |i: usize| Key::new(&format!("object/{i}")).unwrap();
        let wanted: Vec<_> = items
            .iter()
            .enumerate()
            .map(|(tag, &(object, span))| (key(object), Wanted { span, tag }))
            .collect();
        let plans = merge_by_object(wanted.clone(), &limits);
        let keys: BTreeSet<_> = plans.iter().map(|(key, _)| key.clone()).collect();
        prop_assert_eq!(keys.len(), plans.len());
        if let Some((first, _)) = wanted.first() {
            prop_assert_eq!(&plans[0].0, first);
        }
        for (key, plan) in plans {
            let own = wanted.iter().filter(|(other, _)| *other == key).map(|(_, range)| *range);
            prop_assert_eq!(plan, merge(own.collect(), &limits));
        }
    }

    #[test]
    fn requests_tile_the_read(
        span in span(), max_request in 0_u64..100, alignment in 0_u64..40,
    ) {
        let requests: Vec<_> = split(span, max_request, alignment).collect();
        let mut at = span.offset();
        for request in &requests {
            prop_assert_eq!(request.offset(), at);
            prop_assert!(!request.is_empty());
            prop_assert!(request.len() <= max_request.max(alignment).max(1));
            at = request.end();
            prop_assert!(at == span.end() || at % alignment.max(1) == 0);
        }
        prop_assert_eq!(at, span.end());
    }
}

#[test]
fn a_range_whose_end_overflows_cannot_be_made() {
    assert_eq!(Span::new(u64::MAX, 1), None);
    let last = Span::new(u64::MAX - 1, 1).unwrap();
    let limits = ReadLimits { merge_gap: u64::MAX, max_merged: u64::MAX, max_request: 1 };
    let first = Span::new(0, 1).unwrap();
    let plan = merge(vec![Wanted { span: last, tag: 0 }, Wanted { span: first, tag: 1 }], &limits);
    assert_eq!(plan.reads, [Span::new(0, u64::MAX).unwrap()]);
    assert_eq!(split(plan.reads[0], u64::MAX, 4096).count(), 1);
}

#[test]
fn a_zero_length_range_alone_is_a_zero_length_read() {
    let limits = ReadLimits { merge_gap: 0, max_merged: 100, max_request: 100 };
    let plan = merge(tagged(&[Span::new(7, 0).unwrap()]), &limits);
    assert_eq!(plan.reads, [Span::new(7, 0).unwrap()]);
    assert_eq!(split(plan.reads[0], 100, 1).count(), 0);
}
