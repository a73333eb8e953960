//! Masks: one bit for each element, and how many are set below any of them.

use std::ops::Range;

/// Bits of a word.
const WORD: u64 = 64;

/// Words for which the number of bits set before them is kept: 8 bytes for each 64 of the mask.
const WORDS_PER_COUNT: usize = 8;

/// Elements that are wanted (bit set) or not. Takes a ninth of a byte for each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BitMask {
    words: Vec<u64>,
    /// Bits set before every eighth word.
    counts: Vec<u64>,
    len: u64,
    ones: u64,
}

/// A mask that is being put together.
#[derive(Debug, Clone, Default)]
pub struct BitMaskBuilder {
    words: Vec<u64>,
    len: u64,
}

impl BitMaskBuilder {
    /// A builder with room for `len` elements; `None` if there is no memory for them.
    #[must_use]
    pub fn with_room(len: u64) -> Option<Self> {
        let mut words = Vec::new();
        words.try_reserve_exact(usize::try_from(len.div_ceil(WORD)).ok()?).ok()?;
        Some(Self { words, len: 0 })
    }

    /// Adds the next element.
    pub fn push(&mut self, set: bool) {
        let bit = self.len % WORD;
        if bit == 0 {
            self.words.push(0);
        }
        if let Some(word) = self.words.last_mut() {
            *word |= u64::from(set) << bit;
        }
        self.len += 1;
    }

    /// Elements that it has.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether it has no element.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The mask of these elements.
    #[must_use]
    pub fn finish(self) -> BitMask {
        let mut ones = 0;
        let mut counts = Vec::with_capacity(self.words.len().div_ceil(WORDS_PER_COUNT));
        for words in self.words.chunks(WORDS_PER_COUNT) {
            counts.push(ones);
            ones += words.iter().map(|word| u64::from(word.count_ones())).sum::<u64>();
        }
        BitMask { words: self.words, counts, len: self.len, ones }
    }
}

impl FromIterator<bool> for BitMask {
    fn from_iter<T: IntoIterator<Item = bool>>(elements: T) -> Self {
        let mut builder = BitMaskBuilder::default();
        elements.into_iter().for_each(|set| builder.push(set));
        builder.finish()
    }
}

impl BitMask {
    /// Number of elements.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether it has no element.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Number of elements that are wanted.
    #[must_use]
    pub fn count_ones(&self) -> u64 {
        self.ones
    }

    /// Bytes of memory that a mask of `len` elements takes.
    #[must_use]
    pub fn bytes_of(len: u64) -> u64 {
        let words = len.div_ceil(WORD);
        (words + words.div_ceil(WORDS_PER_COUNT as u64)).saturating_mul(size_of::<u64>() as u64)
    }

    /// How many elements before this one are wanted.
    #[must_use]
    pub fn rank(&self, element: u64) -> u64 {
        let word = (element / WORD) as usize;
        let Some(&before) = self.counts.get(word / WORDS_PER_COUNT) else { return self.ones };
        let first = word / WORDS_PER_COUNT * WORDS_PER_COUNT;
        let whole = &self.words[first..word.min(self.words.len())];
        let whole: u64 = whole.iter().map(|word| u64::from(word.count_ones())).sum();
        let below = (1 << (element % WORD)) - 1;
        let part = self.words.get(word).map_or(0, |word| (word & below).count_ones());
        before + whole + u64::from(part)
    }

    /// The positions of all elements that are wanted.
    #[must_use]
    pub fn positions(&self) -> Vec<u64> {
        let mut positions = Vec::with_capacity(self.ones as usize);
        self.runs(0..self.len, |run| positions.extend(run));
        positions
    }

    /// Calls `take` for each run of wanted elements of a range, in their order.
    pub fn runs(&self, range: Range<u64>, mut take: impl FnMut(Range<u64>)) {
        let mut from = range.start;
        while let Some(start) = self.next(from, range.end, true) {
            let end = self.next(start, range.end, false).unwrap_or(range.end);
            take(start..end);
            from = end;
        }
    }

    /// Whether any element of a range is wanted.
    #[must_use]
    pub fn any(&self, range: Range<u64>) -> bool {
        self.next(range.start, range.end, true).is_some()
    }

    /// The first element from `from` on, below `end`, whose bit is `set`.
    fn next(&self, from: u64, end: u64, set: bool) -> Option<u64> {
        let end = end.min(self.len);
        let mut at = from;
        while at < end {
            let word = self.words.get((at / WORD) as usize)?;
            let wanted = if set { *word } else { !*word };
            let rest = wanted >> (at % WORD);
            if rest != 0 {
                let found = at + u64::from(rest.trailing_zeros());
                return (found < end).then_some(found);
            }
            at = (at / WORD + 1) * WORD;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_and_runs_are_those_of_the_elements() {
        let set = |element: u64| element % 7 < 3 || (600..900).contains(&element);
        for len in [0, 1, 63, 64, 65, 511, 512, 513, 1500] {
            let mask: BitMask = (0..len).map(set).collect();
            let wanted: Vec<u64> = (0..len).filter(|&element| set(element)).collect();
            assert_eq!(mask.len(), len);
            assert_eq!(mask.count_ones(), wanted.len() as u64);
            assert_eq!(mask.positions(), wanted);
            for element in 0..=len {
                let below = wanted.iter().filter(|&&other| other < element).count();
                assert_eq!(mask.rank(element), below as u64, "{element} of {len}");
            }
            for (start, end) in [(0, len), (5, len.min(70)), (64, len), (3, 3)] {
                let mut found = Vec::new();
                mask.runs(start..end, |run| found.extend(run));
                let expected: Vec<u64> = wanted
                    .iter()
                    .copied()
                    .filter(|element| (start..end).contains(element))
                    .collect();
                assert_eq!(found, expected, "{start}..{end} of {len}");
                assert_eq!(mask.any(start..end), !expected.is_empty());
            }
        }
    }
}
