//! Merges partial results in a fixed tree, whatever order they arrive in.
//!
//! Leaf `i` is the result of task `i`. The tree over `n` leaves pairs neighbours, level by level; a
//! node without a right neighbour moves up alone. Its shape depends on `n` only, so a merge that is
//! not associative to the last bit (floating point) still gives the same bits every time. What is kept
//! at any moment are the nodes whose neighbour has not arrived.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

#[derive(Debug)]
pub(crate) struct FoldTree<S> {
    leaves: u64,
    waiting: Mutex<HashMap<(u32, u64), S>>,
}

impl<S> FoldTree<S> {
    pub(crate) fn new(leaves: u64) -> Self {
        Self { leaves, waiting: Mutex::default() }
    }

    /// Adds the result of task `leaf`. The last one to be added gets the root. `merge(left, right)`
    /// runs without any lock held.
    pub(crate) fn add(&self, leaf: u64, state: S, merge: impl Fn(S, S) -> S) -> Option<S> {
        let (mut level, mut index, mut state) = (0, leaf, state);
        // Number of nodes on this level.
        let mut nodes = self.leaves;
        while nodes > 1 {
            let alone = index == nodes - 1 && index.is_multiple_of(2);
            if !alone {
                let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
                let Some(neighbour) = waiting.remove(&(level, index ^ 1)) else {
                    waiting.insert((level, index), state);
                    return None;
                };
                drop(waiting);
                state = if index.is_multiple_of(2) {
                    merge(state, neighbour)
                } else {
                    merge(neighbour, state)
                };
            }
            level += 1;
            index /= 2;
            nodes = nodes.div_ceil(2);
        }
        Some(state)
    }

    /// Forgets everything that was added.
    pub(crate) fn clear(&self) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_tree_pairs_neighbours() {
        let tree = FoldTree::new(5);
        let merge = |left: String, right: String| format!("({left}{right})");
        let added: Vec<_> = (0..5).map(|leaf| tree.add(leaf, leaf.to_string(), merge)).collect();
        assert_eq!(added[4].as_deref(), Some("(((01)(23))4)"));
        assert!(added[..4].iter().all(Option::is_none));
    }

    proptest! {
        #[test]
        fn any_order_of_arrival_gives_the_same_tree(
            order in (1u64..40).prop_flat_map(|n| Just((0..n).collect::<Vec<_>>()).prop_shuffle()),
        ) {
            let merge = |left: String, right: String| format!("({left} {right})");
            let run = |order: &[u64]| {
                let tree = FoldTree::new(order.len() as u64);
                let roots: Vec<String> = order
                    .iter()
                    .filter_map(|&leaf| tree.add(leaf, leaf.to_string(), merge))
                    .collect();
                assert_eq!(roots.len(), 1);
                roots[0].clone()
            };
            let mut sorted = order.clone();
            sorted.sort_unstable();
            prop_assert_eq!(run(&order), run(&sorted));
        }
    }
}
