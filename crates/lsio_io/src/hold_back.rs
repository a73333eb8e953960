//! Completions that are kept for a while, so that they arrive in another order.

use std::sync::Arc;

use crate::{Completion, CompletionSink};

/// Numbers that look random and depend on the seed alone (the splitmix64 sequence).
#[derive(Debug)]
struct Shuffle(u64);

impl Shuffle {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    /// A number below `end`, which is not zero.
    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}

/// A completion and where it belongs.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) sink: Arc<dyn CompletionSink>,
    pub(crate) completion: Completion,
}

impl Delivery {
    pub(crate) fn deliver(self) {
        self.sink.complete(self.completion);
    }
}

#[derive(Debug)]
struct Held {
    delivery: Delivery,
    /// Completions that still have to arrive before this one may leave.
    waits_for: u64,
}

/// Decides which of the completions that arrived may leave. Nothing stays when nothing more is under
/// way, so holding back never hangs anybody.
#[derive(Debug)]
pub(crate) struct HoldBack {
    shuffle: Shuffle,
    /// Completions that are kept to choose from.
    window: usize,
    under_way: usize,
    held: Vec<Held>,
}

impl HoldBack {
    pub(crate) fn new(seed: u64) -> Self {
        Self { shuffle: Shuffle(seed), window: 0, under_way: 0, held: Vec::new() }
    }

    pub(crate) fn set_window(&mut self, window: usize) {
        self.window = window;
    }

    /// `reads` more will complete.
    pub(crate) fn begin(&mut self, reads: usize) {
        self.under_way += reads;
    }

    /// One read has completed. Returns what may leave now, in this order.
    pub(crate) fn arrive(&mut self, delivery: Delivery, delay: u64) -> Vec<Delivery> {
        self.under_way = self.under_way.saturating_sub(1);
        for held in &mut self.held {
            held.waits_for = held.waits_for.saturating_sub(1);
        }
        self.held.push(Held { delivery, waits_for: delay });
        if self.under_way == 0 {
            return self.flush();
        }
        let mut leaving = Vec::new();
        loop {
            let ready: Vec<usize> =
                (0..self.held.len()).filter(|&i| self.held[i].waits_for == 0).collect();
            if ready.len() <= self.window {
                return leaving;
            }
            let chosen = if self.window == 0 { 0 } else { self.shuffle.below(ready.len()) };
            let chosen = ready[chosen];
            leaving.push(self.held.remove(chosen).delivery);
        }
    }

    /// Everything that is held, shuffled if there is a window.
    pub(crate) fn flush(&mut self) -> Vec<Delivery> {
        let mut all: Vec<Delivery> = self.held.drain(..).map(|held| held.delivery).collect();
        if self.window > 0 {
            for i in (1..all.len()).rev() {
                all.swap(i, self.shuffle.below(i + 1));
            }
        }
        all
    }

    /// An index below `end`, which is not zero, from the same random sequence.
    pub(crate) fn choose(&mut self, end: usize) -> usize {
        self.shuffle.below(end)
    }
}
