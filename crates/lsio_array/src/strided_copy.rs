//! Copies of an n-dimensional region from one memory layout to another.
#![expect(
    unsafe_code,
    reason = "the innermost loops run on pointers whose bounds were checked once"
)]

use crate::Region;
use crate::unsafe_rows::{Rows, Stores, end_of_streaming};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CopyDimension {
    pub(crate) len: usize,
    pub(crate) source_stride: usize,
    pub(crate) target_stride: usize,
}

/// A copy that has been worked out: offsets and strides in bytes, dimensions merged where both sides
/// are contiguous, target written in ascending order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StridedCopy {
    source_offset: usize,
    target_offset: usize,
    source_end: usize,
    target_end: usize,
    element: usize,
    /// Slowest first.
    dimensions: Vec<CopyDimension>,
}

impl StridedCopy {
    /// The copy that `region` describes. Strides are in elements, one for each dimension; a target
    /// stride of a dropped dimension may be anything. `None` if an offset does not fit memory.
    #[must_use]
    pub fn new(
        region: &Region,
        source_strides: &[u64],
        target_strides: &[u64],
        element: usize,
    ) -> Option<Self> {
        let size = element as u64;
        let mut copy = Self {
            source_offset: 0,
            target_offset: 0,
            source_end: 0,
            target_end: 0,
            element,
            dimensions: Vec::with_capacity(region.dimensions.len()),
        };
        let strides = source_strides.iter().zip(target_strides);
        let (mut source, mut target) = (0u64, 0u64);
        let (mut source_last, mut target_last) = (0u64, 0u64);
        for (part, (&source_stride, &target_stride)) in region.dimensions.iter().zip(strides) {
            if part.len == 0 {
                return Some(Self { dimensions: vec![CopyDimension::NOTHING], ..copy });
            }
            let source_stride = source_stride.checked_mul(size)?;
            let target_stride = target_stride.checked_mul(size)?;
            source = source.checked_add(part.source_start.checked_mul(source_stride)?)?;
            target = target.checked_add(part.target_start.checked_mul(target_stride)?)?;
            if part.len == 1 {
                continue;
            }
            let source_stride = source_stride.checked_mul(part.source_step)?;
            let last = part.len - 1;
            source_last = source_last.checked_add(last.checked_mul(source_stride)?)?;
            target_last = target_last.checked_add(last.checked_mul(target_stride)?)?;
            copy.dimensions.push(CopyDimension {
                len: usize::try_from(part.len).ok()?,
                source_stride: usize::try_from(source_stride).ok()?,
                target_stride: usize::try_from(target_stride).ok()?,
            });
        }
        let end = |start: u64, last: u64| {
            usize::try_from(start.checked_add(last)?.checked_add(size)?).ok()
        };
        copy.source_end = end(source, source_last)?;
        copy.target_end = end(target, target_last)?;
        copy.source_offset = usize::try_from(source).ok()?;
        copy.target_offset = usize::try_from(target).ok()?;
        copy.simplify();
        Some(copy)
    }

    /// Bytes that are copied.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let elements: usize = self.dimensions.iter().map(|dimension| dimension.len).product();
        (elements * self.element) as u64
    }

    /// Orders the dimensions by target stride and merges neighbours that are contiguous on both sides.
    fn simplify(&mut self) {
        self.dimensions.sort_by_key(|dimension| std::cmp::Reverse(dimension.target_stride));
        let mut merged: Vec<CopyDimension> = Vec::with_capacity(self.dimensions.len());
        for &inner in &self.dimensions {
            if let Some(outer) = merged.last_mut()
                && outer.source_stride == inner.len * inner.source_stride
                && outer.target_stride == inner.len * inner.target_stride
            {
                *outer = CopyDimension { len: outer.len * inner.len, ..inner };
            } else {
                merged.push(inner);
            }
        }
        self.dimensions = merged;
    }

    /// Where the source bytes are, if they are one run that becomes one run of the target:
    /// `(source offset, target offset, length)` in bytes.
    #[must_use]
    pub fn contiguous(&self) -> Option<(usize, usize, usize)> {
        let len = match self.dimensions[..] {
            [] => self.element,
            [only] if only.len == 0 => 0,
            [only] if only.source_stride == self.element && only.target_stride == self.element => {
                only.len * self.element
            }
            _ => return None,
        };
        Some((self.source_offset, self.target_offset, len))
    }

    /// Bytes of one element.
    #[must_use]
    pub fn element_size(&self) -> usize {
        self.element
    }

    /// One past the last source byte that is read; 0 if nothing is copied.
    #[must_use]
    pub fn source_end(&self) -> usize {
        self.source_end
    }

    /// One past the last target byte that is written; 0 if nothing is copied.
    #[must_use]
    pub fn target_end(&self) -> usize {
        self.target_end
    }

    /// The same targets, all from the one element at the start of the source.
    pub(crate) fn broadcast(&self) -> Self {
        let mut copy = Self { source_offset: 0, source_end: self.element, ..self.clone() };
        for dimension in &mut copy.dimensions {
            dimension.source_stride = 0;
        }
        copy
    }

    /// Copies into a slice. `false`, and nothing is written, if either side is too short.
    #[must_use]
    pub fn copy(&self, source: &[u8], target: &mut [u8]) -> bool {
        let fits = self.source_end <= source.len() && self.target_end <= target.len();
        if fits {
            // SAFETY: both ends were checked and the slices do not overlap.
            unsafe { self.run(source.as_ptr(), target.as_mut_ptr(), Stores::Cached) };
        }
        fits
    }

    /// Copies without checks.
    ///
    /// # Safety
    /// `source` must be readable for [`source_end`](Self::source_end) bytes and `target` writable for
    /// [`target_end`](Self::target_end) bytes; they must not overlap, and no other thread may touch
    /// the target elements meanwhile.
    pub(crate) unsafe fn run(&self, source: *const u8, target: *mut u8, stores: Stores) {
        // SAFETY: the offsets are below the ends that the caller vouches for.
        let (source, target) =
            unsafe { (source.add(self.source_offset), target.add(self.target_offset)) };
        // SAFETY: the dimensions stay below the same ends.
        unsafe { copy_dimensions(&self.dimensions, self.element, source, target, stores) };
        if stores == Stores::Streaming {
            end_of_streaming();
        }
    }

    /// The dimensions, slowest first, and the bytes of their elements.
    pub(crate) fn dimensions(&self) -> (&[CopyDimension], usize) {
        (&self.dimensions, self.element)
    }

    /// First source byte and first target byte.
    pub(crate) fn offsets(&self) -> (usize, usize) {
        (self.source_offset, self.target_offset)
    }
}

impl CopyDimension {
    const NOTHING: Self = Self { len: 0, source_stride: 0, target_stride: 0 };

    /// Whether elements of this size lie next to each other on both sides.
    pub(crate) fn is_contiguous(&self, element: usize) -> bool {
        self.source_stride == element && self.target_stride == element
    }
}

/// # Safety
/// As [`StridedCopy::run`].
unsafe fn copy_dimensions(
    dimensions: &[CopyDimension],
    element: usize,
    source: *const u8,
    target: *mut u8,
    stores: Stores,
) {
    match dimensions {
        // SAFETY: passed on from the caller.
        [] => unsafe { source.copy_to_nonoverlapping(target, element) },
        [row] if row.is_contiguous(element) => {
            // SAFETY: passed on from the caller.
            unsafe { Rows::one(row.len * element).copy(source, target, stores) };
        }
        // SAFETY: passed on from the caller.
        [row] => unsafe { copy_row(*row, element, source, target) },
        [rows, row] if row.is_contiguous(element) => {
            let CopyDimension { len: count, source_stride, target_stride } = *rows;
            let rows = Rows { count, len: row.len * element, source_stride, target_stride };
            // SAFETY: passed on from the caller.
            unsafe { rows.copy(source, target, stores) };
        }
        [outer, inner @ ..] => {
            for index in 0..outer.len {
                // SAFETY: `index` is below the dimension's length.
                unsafe {
                    copy_dimensions(
                        inner,
                        element,
                        source.add(index * outer.source_stride),
                        target.add(index * outer.target_stride),
                        stores,
                    );
                }
            }
        }
    }
}

/// # Safety
/// As [`StridedCopy::run`].
unsafe fn copy_row(row: CopyDimension, element: usize, source: *const u8, target: *mut u8) {
    let copy: unsafe fn(CopyDimension, *const u8, *mut u8) = match element {
        1 => copy_elements::<1>,
        2 => copy_elements::<2>,
        4 => copy_elements::<4>,
        8 => copy_elements::<8>,
        16 => copy_elements::<16>,
        _ => {
            for index in 0..row.len {
                // SAFETY: `index` is below the row's length.
                unsafe {
                    source
                        .add(index * row.source_stride)
                        .copy_to_nonoverlapping(target.add(index * row.target_stride), element);
                }
            }
            return;
        }
    };
    // SAFETY: passed on from the caller.
    unsafe { copy(row, source, target) };
}

/// # Safety
/// As [`StridedCopy::run`].
unsafe fn copy_elements<const SIZE: usize>(row: CopyDimension, source: *const u8, target: *mut u8) {
    for index in 0..row.len {
        // SAFETY: `index` is below the row's length; a `[u8; SIZE]` has alignment 1.
        unsafe {
            let value = source.add(index * row.source_stride).cast::<[u8; SIZE]>().read();
            target.add(index * row.target_stride).cast::<[u8; SIZE]>().write(value);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::DimensionPlacement;

    fn placement(parts: &[(u64, u64, u64, u64)]) -> Region {
        let dimensions = parts
            .iter()
            .map(|&(source_start, source_step, target_start, len)| DimensionPlacement {
                source_start,
                source_step,
                target_start,
                len,
            })
            .collect();
        Region { output: 0, dimensions }
    }

    #[test]
    fn whole_rows_become_one_run() {
        let whole = placement(&[(0, 1, 3, 2), (0, 1, 0, 4)]);
        let copy = StridedCopy::new(&whole, &[4, 1], &[4, 1], 4).unwrap();
        assert_eq!(copy.contiguous(), Some((0, 48, 32)));
    }

    #[test]
    fn a_region_with_steps_lands_where_it_should() {
        let source: Vec<u8> = (0..24).collect();
        let region = placement(&[(1, 2, 0, 2), (0, 3, 1, 2)]);
        let copy = StridedCopy::new(&region, &[6, 1], &[4, 1], 1).unwrap();
        let mut target = [255; 8];
        assert!(copy.copy(&source, &mut target));
        assert_eq!(target, [255, 6, 9, 255, 255, 18, 21, 255]);
    }

    #[test]
    fn fortran_order_is_transposed() {
        let source = [0, 3, 1, 4, 2, 5];
        let whole = placement(&[(0, 1, 0, 2), (0, 1, 0, 3)]);
        let copy = StridedCopy::new(&whole, &[1, 2], &[3, 1], 1).unwrap();
        let mut target = [0; 6];
        assert!(copy.copy(&source, &mut target));
        assert_eq!(target, [0, 1, 2, 3, 4, 5]);
    }

    #[test]
    fn what_does_not_fit_is_not_touched() {
        let whole = placement(&[(0, 1, 0, 4)]);
        let copy = StridedCopy::new(&whole, &[1], &[1], 2).unwrap();
        assert!(!copy.copy(&[0; 7], &mut [0; 8]));
        assert!(!copy.copy(&[0; 8], &mut [0; 7]));
        assert!(StridedCopy::new(&whole, &[u64::MAX], &[1], 2).is_none());
    }

    #[test]
    fn nothing_and_single_elements_are_copies_too() {
        let empty =
            StridedCopy::new(&placement(&[(0, 1, 0, 0), (0, 1, 0, 9)]), &[9, 1], &[9, 1], 8);
        assert!(empty.unwrap().copy(&[], &mut []));
        let scalar = StridedCopy::new(&placement(&[]), &[], &[], 2).unwrap();
        let mut target = [0; 2];
        assert!(scalar.copy(&[7, 8], &mut target));
        assert_eq!(target, [7, 8]);
    }
}
