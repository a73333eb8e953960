//! Which parts of a region the kernel has backed with memory, as far as it can be told from outside.

use std::ops::Range;

use crate::size_class::{HUGE_PAGE, PAGE};

/// One bit per unit of a region. A unit is a page where slots share huge pages, and the whole region
/// where it is one slot.
///
/// The first touch of a huge page backs all of it; after a part of it was discarded, touches back
/// single pages. A kernel that has no huge page to give backs less than is counted here.
#[derive(Debug)]
pub(crate) struct Backing {
    bits: Vec<u64>,
    unit: usize,
    block: usize,
}

impl Backing {
    /// A region of `len` bytes in slots of `slot` bytes, nothing of it backed.
    pub(crate) fn new(len: usize, slot: usize) -> Self {
        let (unit, block) =
            if slot < len { (PAGE as usize, (HUGE_PAGE / PAGE) as usize) } else { (len, 1) };
        Self { bits: vec![0; (len / unit).div_ceil(64)], unit, block }
    }

    /// Marks the bytes of `range` as touched. Returns the bytes that this backs, and the first touched
    /// byte of each huge page that was not backed at all.
    pub(crate) fn touch(&mut self, range: &Range<usize>) -> (usize, Vec<usize>) {
        let units = self.units(range);
        let mut backed = 0;
        let mut fresh = Vec::new();
        if self.count(&units) == units.len() {
            return (backed, fresh);
        }
        let mut block_start = units.start - units.start % self.block;
        while block_start < units.end {
            let block = block_start..block_start + self.block;
            let touched = block.start.max(units.start)..block.end.min(units.end);
            if self.count(&block) == 0 {
                fresh.push(touched.start * self.unit);
                backed += self.set(&block, true);
            } else {
                backed += self.set(&touched, true);
            }
            block_start = block.end;
        }
        (backed * self.unit, fresh)
    }

    /// Marks the bytes of `range` as not backed. Returns how many of them were.
    pub(crate) fn discard(&mut self, range: &Range<usize>) -> usize {
        let units = self.units(range);
        self.set(&units, false) * self.unit
    }

    /// Bytes of `range` that are backed.
    pub(crate) fn backed_in(&self, range: &Range<usize>) -> usize {
        self.count(&self.units(range)) * self.unit
    }

    /// Bytes of the region that are backed.
    pub(crate) fn backed(&self) -> usize {
        self.bits.iter().map(|word| word.count_ones() as usize).sum::<usize>() * self.unit
    }

    fn units(&self, range: &Range<usize>) -> Range<usize> {
        range.start / self.unit..range.end / self.unit
    }

    fn count(&self, units: &Range<usize>) -> usize {
        words(units).map(|(word, mask)| (self.bits[word] & mask).count_ones() as usize).sum()
    }

    /// Sets or clears `units` and returns how many of them changed.
    fn set(&mut self, units: &Range<usize>, value: bool) -> usize {
        let mut changed = 0;
        for (word, mask) in words(units) {
            let old = self.bits[word];
            self.bits[word] = if value { old | mask } else { old & !mask };
            changed += (old ^ self.bits[word]).count_ones() as usize;
        }
        changed
    }
}

/// The words that hold the bits of `units`, each with the mask of those bits.
fn words(units: &Range<usize>) -> impl Iterator<Item = (usize, u64)> + use<> {
    let Range { start, end } = units.clone();
    (start / 64..end.div_ceil(64)).map(move |word| {
        let low = start.max(word * 64) - word * 64;
        let high = end.min(word * 64 + 64) - word * 64;
        let below = |bit: usize| if bit == 64 { u64::MAX } else { (1 << bit) - 1 };
        (word, below(high) & !below(low))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIB: usize = 1024;
    const HUGE: usize = HUGE_PAGE as usize;

    #[test]
    fn the_first_touch_backs_a_huge_page_and_later_ones_nothing() {
        let mut backing = Backing::new(HUGE, 64 * KIB);
        assert_eq!(backing.touch(&(0..64 * KIB)), (HUGE, vec![0]));
        assert_eq!(backing.touch(&(64 * KIB..128 * KIB)), (0, vec![]));
        assert_eq!(backing.backed(), HUGE);
    }

    #[test]
    fn a_slot_across_two_huge_pages_backs_both() {
        let slot = 1152 * KIB;
        let mut backing = Backing::new(9 * HUGE, slot);
        assert_eq!(backing.touch(&(slot..2 * slot)), (2 * HUGE, vec![slot, HUGE]));
        assert_eq!(backing.backed_in(&(0..slot)), slot);
    }

    #[test]
    fn after_a_part_was_discarded_single_pages_come_back() {
        let slot = 256 * KIB;
        let mut backing = Backing::new(HUGE, slot);
        backing.touch(&(0..slot));
        assert_eq!(backing.discard(&(slot..2 * slot)), slot);
        assert_eq!(backing.backed_in(&(0..HUGE)), HUGE - slot);
        assert_eq!(backing.touch(&(slot..2 * slot)), (slot, vec![]));
        assert_eq!(backing.discard(&(0..HUGE)), HUGE);
        assert_eq!(backing.touch(&(slot..2 * slot)), (HUGE, vec![slot]));
    }

    #[test]
    fn a_region_of_one_slot_is_backed_as_a_whole() {
        let mut backing = Backing::new(3 * HUGE, 3 * HUGE);
        assert_eq!(backing.touch(&(0..3 * HUGE)), (3 * HUGE, vec![0]));
        assert_eq!(backing.discard(&(0..3 * HUGE)), 3 * HUGE);
        assert_eq!(backing.backed(), 0);
    }
}
