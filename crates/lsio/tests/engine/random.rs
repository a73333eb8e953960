//! Random numbers that are the same in every run.

use std::sync::Arc;

use lsio::DimensionSelection;

/// `SplitMix64`: passes the usual statistical tests, has one word of state.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// One of `0..end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// One of `from..=to`.
    pub(crate) fn between(&mut self, from: i64, to: i64) -> i64 {
        from + self.below(from.abs_diff(to) + 1).cast_signed()
    }

    /// `len` bytes that no codec makes shorter.
    pub(crate) fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len.div_ceil(8)).flat_map(|_| self.next().to_ne_bytes()).take(len).collect()
    }

    /// A selection on an array of this shape: whole dimensions, integers, sorted lists, and slices, some
    /// of them backwards, whose bounds may be absent, negative, outside, or the wrong way round.
    pub(crate) fn selection(&mut self, shape: &[u64]) -> Vec<DimensionSelection> {
        shape.iter().map(|&len| self.dimension(len.cast_signed())).collect()
    }

    fn dimension(&mut self, len: i64) -> DimensionSelection {
        match self.below(8) {
            0 => DimensionSelection::All,
            1 if len > 0 => DimensionSelection::Index(self.between(-len, len - 1)),
            2 if len > 0 => {
                let mut indices: Vec<i64> =
                    (0..self.below(12)).map(|_| self.between(0, len - 1)).collect();
                indices.sort_unstable();
                DimensionSelection::Indices(Arc::new(indices))
            }
            _ => {
                let start = self.maybe(-len - 2, len + 2);
                let stop = self.maybe(-len - 2, len + 2);
                let forwards = self.below(4) > 0;
                let step = self.maybe(1, 5).map(|step| if forwards { step } else { -step });
                DimensionSelection::Slice { start, stop, step }
            }
        }
    }

    fn maybe(&mut self, from: i64, to: i64) -> Option<i64> {
        (self.below(3) > 0).then(|| self.between(from, to))
    }
}
