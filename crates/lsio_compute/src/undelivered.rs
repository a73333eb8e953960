//! Decoded chunks that wait for their consumer, in the order in which they are handed out.

use std::collections::{BTreeMap, VecDeque};

use crate::ChunkData;

#[derive(Debug)]
pub(crate) enum Undelivered {
    /// As they arrive.
    ByArrival(VecDeque<ChunkData>),
    /// In the order of the plan; `next` is the number of the chunk that is handed out next.
    ByNumber { chunks: BTreeMap<u64, ChunkData>, next: u64 },
}

impl Undelivered {
    /// None yet.
    pub(crate) fn new(in_order: bool) -> Self {
        if in_order {
            Self::ByNumber { chunks: BTreeMap::new(), next: 0 }
        } else {
            Self::ByArrival(VecDeque::new())
        }
    }

    pub(crate) fn put(&mut self, chunk: ChunkData) {
        match self {
            Self::ByArrival(queue) => queue.push_back(chunk),
            Self::ByNumber { chunks, .. } => {
                chunks.insert(chunk.number, chunk);
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::ByArrival(queue) => queue.len(),
            Self::ByNumber { chunks, .. } => chunks.len(),
        }
    }

    /// Whether there is a chunk that can be handed out.
    pub(crate) fn has_next(&self) -> bool {
        match self {
            Self::ByArrival(queue) => !queue.is_empty(),
            Self::ByNumber { chunks, next } => chunks.contains_key(next),
        }
    }

    /// Whether the chunk with this number could be handed out before any other that has not come.
    pub(crate) fn may_be_next(&self, number: u64) -> bool {
        match self {
            Self::ByArrival(_) => true,
            Self::ByNumber { next, .. } => number == *next,
        }
    }

    /// Takes up to `most` chunks that can be handed out.
    pub(crate) fn take(&mut self, most: usize) -> Vec<ChunkData> {
        match self {
            Self::ByArrival(queue) if queue.len() <= most => std::mem::take(queue).into(),
            Self::ByArrival(queue) => queue.drain(..most).collect(),
            Self::ByNumber { chunks, next } => {
                let mut taken = Vec::new();
                while taken.len() < most
                    && let Some(chunk) = chunks.remove(next)
                {
                    *next += 1;
                    taken.push(chunk);
                }
                taken
            }
        }
    }
}
