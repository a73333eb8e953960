//! The read planner: which physical reads serve the ranges that are wanted of an object.
//!
//! ```
//! use lsio_io::ReadLimits;
//! use lsio_io::plan::{Span, Wanted, merge};
//!
//! let limits = ReadLimits { merge_gap: 10, max_merged: 1000, max_request: 1000 };
//! let wanted = [(500, 50), (0, 20), (25, 5)]
//!     .into_iter()
//!     .filter_map(|(offset, len)| Some(Wanted { span: Span::new(offset, len)?, tag: offset }))
//!     .collect();
//! let plan = merge(wanted, &limits);
//!
//! // 0..20 and 25..30 are near enough to be one read.
//! let reads: Vec<_> = plan.reads.iter().map(|read| (read.offset(), read.len())).collect();
//! assert_eq!(reads, [(0, 30), (500, 50)]);
//! assert_eq!(plan.over_read, 5);
//! let last = &plan.placements[2];
//! assert_eq!((last.tag, last.read, last.offset), (25, 0, 25));
//! ```

use std::collections::HashMap;

use crate::{ByteRange, Key, ReadLimits};

/// A stretch of an object whose end is a valid offset too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    offset: u64,
    len: u64,
}

impl Span {
    /// `len` bytes from `offset`. `None` if the end does not fit into a `u64`.
    #[must_use]
    pub fn new(offset: u64, len: u64) -> Option<Self> {
        offset.checked_add(len).map(|_| Self { offset, len })
    }

    /// First byte.
    #[must_use]
    pub fn offset(self) -> u64 {
        self.offset
    }

    /// Number of bytes.
    #[must_use]
    pub fn len(self) -> u64 {
        self.len
    }

    /// Whether it has no bytes.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len == 0
    }

    /// The byte after the last.
    #[must_use]
    pub fn end(self) -> u64 {
        self.offset + self.len
    }

    fn from_to(offset: u64, end: u64) -> Self {
        Self { offset, len: end - offset }
    }
}

impl From<Span> for ByteRange {
    fn from(Span { offset, len }: Span) -> Self {
        Self::Bounded { offset, len }
    }
}

/// A range that somebody wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted<T> {
    /// The bytes.
    pub span: Span,
    /// Given back in the placement.
    pub tag: T,
}

/// Where a wanted range will be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placement<T> {
    /// The tag of the wanted range.
    pub tag: T,
    /// Index into [`ReadPlan::reads`].
    pub read: usize,
    /// First byte inside that read.
    pub offset: u64,
    /// Number of bytes.
    pub len: u64,
}

/// Physical reads of one object and what each is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadPlan<T> {
    /// What to read, by ascending offset.
    pub reads: Vec<Span>,
    /// One for each wanted range, in the order in which they were given.
    pub placements: Vec<Placement<T>>,
    /// Bytes that are read without being wanted, or once more than needed.
    pub over_read: u64,
}

/// Plans the reads for ranges of one object.
///
/// Ranges with a gap of at most `merge_gap` become one read, up to `max_merged` bytes. A range alone
/// is never cut, however long it is, and a range inside a read that is needed anyway shares it. Ranges
/// that overlap share their read unless that would be longer than `max_merged`; then what they have in
/// common is read twice.
#[must_use]
pub fn merge<T>(wanted: Vec<Wanted<T>>, limits: &ReadLimits) -> ReadPlan<T> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    // Of ranges with the same start the longest comes first, so that the others lie inside it.
    order.sort_by_key(|&i| (wanted[i].span.offset, u64::MAX - wanted[i].span.len));

    let mut reads: Vec<Span> = Vec::new();
    let mut read_of = vec![0; wanted.len()];
    let mut needed = 0_u64;
    let mut needed_to = 0;
    for i in order {
        let span = wanted[i].span;
        needed = needed.saturating_add(span.end().saturating_sub(needed_to.max(span.offset)));
        needed_to = needed_to.max(span.end());
        match reads.last_mut() {
            Some(read) if joins(*read, span, limits) => {
                *read = Span::from_to(read.offset, read.end().max(span.end()));
            }
            _ => reads.push(span),
        }
        read_of[i] = reads.len() - 1;
    }

    let placements = wanted
        .into_iter()
        .zip(read_of)
        .map(|(Wanted { span, tag }, read)| Placement {
            tag,
            read,
            offset: span.offset - reads[read].offset,
            len: span.len,
        })
        .collect();
    let read_bytes = reads.iter().fold(0_u64, |sum, read| sum.saturating_add(read.len));
    ReadPlan { reads, placements, over_read: read_bytes.saturating_sub(needed) }
}

/// Whether `span`, which starts no earlier than `read`, becomes part of it.
fn joins(read: Span, span: Span, limits: &ReadLimits) -> bool {
    if span.end() <= read.end() {
        return true;
    }
    let gap = span.offset.saturating_sub(read.end());
    gap <= limits.merge_gap && span.end() - read.offset <= limits.max_merged
}

/// Plans the reads for ranges of many objects: one plan per object, in the order in which the objects
/// first occur.
#[must_use]
pub fn merge_by_object<T>(
    wanted: Vec<(Key, Wanted<T>)>,
    limits: &ReadLimits,
) -> Vec<(Key, ReadPlan<T>)> {
    let mut position: HashMap<Key, usize> = HashMap::new();
    let mut objects: Vec<(Key, Vec<Wanted<T>>)> = Vec::new();
    for (key, range) in wanted {
        let at = *position.entry(key).or_insert_with_key(|key| {
            objects.push((key.clone(), Vec::new()));
            objects.len() - 1
        });
        objects[at].1.push(range);
    }
    objects.into_iter().map(|(key, ranges)| (key, merge(ranges, limits))).collect()
}

/// Cuts a read into requests of at most `max_request` bytes that touch without overlapping. Cuts lie
/// on multiples of `alignment`, which wins if `max_request` is smaller. No bytes make no requests.
pub fn split(span: Span, max_request: u64, alignment: u64) -> impl Iterator<Item = Span> {
    let alignment = alignment.max(1);
    let longest = max_request.max(alignment);
    let end = span.end();
    let mut at = span.offset;
    std::iter::from_fn(move || {
        if at == end {
            return None;
        }
        let cut = match at.checked_add(longest) {
            // Behind `at`, because a multiple of `alignment` lies in any `longest` bytes after it.
            Some(reach) if reach < end => reach - reach % alignment,
            _ => end,
        };
        let request = Span::from_to(at, cut);
        at = cut;
        Some(request)
    })
}
