//! Copies that take every byte of their source in order: they can be done in parts, as the bytes arrive.
#![expect(unsafe_code, reason = "copies to a pointer whose bounds the callers checked")]

use crate::StridedCopy;
use crate::strided_copy::CopyDimension;
use crate::unsafe_rows::{Rows, Stores, end_of_streaming};

/// How the bytes of a dense source are distributed: one run after the other, of equal lengths.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DenseCopy<'a> {
    /// Bytes of a run.
    run: usize,
    /// The runs' dimensions, slowest first; their source strides are dense.
    outer: &'a [CopyDimension],
    /// First byte of the first run's target.
    start: usize,
    /// Bytes of all runs.
    total: usize,
}

impl StridedCopy {
    /// This copy if it takes every byte of the source from its start on, in order; `None` for any other.
    pub(crate) fn dense(&self) -> Option<DenseCopy<'_>> {
        let (mut outer, element) = self.dimensions();
        let mut dense = element;
        if let [rest @ .., row] = outer
            && row.is_contiguous(element)
        {
            dense = row.len * element;
            outer = rest;
        }
        let run = dense;
        for dimension in outer.iter().rev() {
            if dimension.source_stride != dense || dimension.len == 0 {
                return None;
            }
            dense *= dimension.len;
        }
        let (source_offset, start) = self.offsets();
        (source_offset == 0 && run > 0).then_some(DenseCopy { run, outer, start, total: dense })
    }

    /// Whether this copy takes every byte of the source from its start on, in order: then it can be done
    /// in parts, by [`OutputBuffer::copy_part`](crate::OutputBuffer::copy_part).
    #[must_use]
    pub fn is_dense(&self) -> bool {
        self.dense().is_some()
    }
}

impl DenseCopy<'_> {
    /// Whether it takes `len` bytes from byte `from` of the source on.
    pub(crate) fn has(&self, from: usize, len: usize) -> bool {
        from.checked_add(len).is_some_and(|end| end <= self.total)
    }

    /// First target byte of a run.
    fn target(&self, mut run: usize) -> usize {
        let mut target = self.start;
        for dimension in self.outer.iter().rev() {
            target += run % dimension.len * dimension.target_stride;
            run /= dimension.len;
        }
        target
    }

    /// Copies `part`, which is the source from byte `from` on.
    ///
    /// # Safety
    /// It [`has`](Self::has) those bytes. `target` must be writable up to the copy's end, must not overlap
    /// the part, and no other thread may touch the target elements meanwhile.
    pub(crate) unsafe fn copy_part(
        &self,
        mut part: &[u8],
        from: usize,
        target: *mut u8,
        stores: Stores,
    ) {
        let (mut run, skip) = (from / self.run, from % self.run);
        if skip > 0 {
            let (head, rest) = part.split_at(part.len().min(self.run - skip));
            // SAFETY: the rest of a run, as far as the part goes; passed on from the caller.
            unsafe {
                let target = target.add(self.target(run) + skip);
                Rows::one(head.len()).copy(head.as_ptr(), target, stores);
            }
            part = rest;
            run += 1;
        }
        // As many at once as lie at equal distances.
        let fastest = self.outer.last().map_or((1, self.run), |it| (it.len, it.target_stride));
        while part.len() >= self.run {
            let count = (fastest.0 - run % fastest.0).min(part.len() / self.run);
            let (whole, rest) = part.split_at(count * self.run);
            let (len, target_stride) = (self.run, fastest.1);
            let rows = Rows { count, len, source_stride: len, target_stride };
            // SAFETY: whole runs along the fastest dimension; passed on from the caller.
            unsafe { rows.copy(whole.as_ptr(), target.add(self.target(run)), stores) };
            part = rest;
            run += count;
        }
        if !part.is_empty() {
            // SAFETY: the start of a run; passed on from the caller.
            unsafe {
                let target = target.add(self.target(run));
                Rows::one(part.len()).copy(part.as_ptr(), target, stores);
            }
        }
        if stores == Stores::Streaming {
            end_of_streaming();
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use crate::{DimensionPlacement, Region, StridedCopy};

    /// Whole dimensions of these lengths, placed at these indices of a result.
    fn placed(parts: &[(u64, u64)]) -> Region {
        let whole = |&(target_start, len)| DimensionPlacement {
            source_start: 0,
            source_step: 1,
            target_start,
            len,
        };
        Region { output: 0, dimensions: parts.iter().map(whole).collect() }
    }

    #[test]
    fn only_copies_of_the_whole_source_in_order_are_dense() {
        let whole = placed(&[(1, 2), (0, 2), (3, 3)]);
        let copy = StridedCopy::new(&whole, &[6, 3, 1], &[40, 10, 1], 2).unwrap();
        let dense = copy.dense().unwrap();
        assert_eq!((0..4).map(|run| dense.target(run)).collect::<Vec<_>>(), [86, 106, 166, 186]);
        assert_eq!((dense.run, dense.total), (6, 24));
        assert!(dense.has(20, 4) && !dense.has(21, 4) && !dense.has(usize::MAX, 2));
        let one = placed(&[(3, 2), (0, 4)]);
        let copy = StridedCopy::new(&one, &[4, 1], &[4, 1], 4).unwrap();
        assert_eq!(copy.dense().map(|dense| (dense.run, dense.target(0))), Some((32, 48)));
        let transposed = placed(&[(0, 2), (0, 3)]);
        assert!(!StridedCopy::new(&transposed, &[1, 2], &[3, 1], 1).unwrap().is_dense());
        for (source_start, source_step, len) in [(1, 1, 3), (0, 2, 2), (0, 1, 0)] {
            let part = DimensionPlacement { source_start, source_step, target_start: 0, len };
            let placement = Region { output: 0, dimensions: vec![part] };
            assert!(!StridedCopy::new(&placement, &[1], &[1], 4).unwrap().is_dense());
        }
    }
}
