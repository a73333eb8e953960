//! Elements of a chunk in any order, and where each goes in an output: worked out run by run, so that
//! nothing is kept for each of them.

use std::sync::Arc;

use crate::DimensionPlacement;
use crate::listed_dimension::ListedDimension;
use crate::mask_plan::MaskPart;
use crate::point_plan::PointPart;

/// Runs that are handed over together: 16 KiB, so that they stay in the L1 cache.
const BLOCK: usize = 512;

/// Elements at equal distances in a chunk that lie next to one another in an output. All numbers are
/// elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// The first, from the start of the chunk's memory.
    pub source: u64,
    /// Distance from one to the next in the chunk's memory; may be negative or 0.
    pub source_step: i64,
    /// The first, from the start of the output.
    pub target: u64,
    /// Number of elements, at least 1.
    pub len: u64,
}

/// How the elements of a decoded chunk lie in memory.
#[derive(Debug, Clone, Copy)]
pub struct ChunkLayout<'a> {
    /// Elements per dimension.
    pub shape: &'a [u64],
    /// Distance in elements between neighbours, per dimension.
    pub strides: &'a [u64],
}

/// Elements of one chunk, in any order, that go to one output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picks {
    output: usize,
    elements: Elements,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Elements {
    /// All combinations of the elements along each dimension.
    Product(Vec<Axis>),
    Points(PointPart),
    Mask(MaskPart),
}

/// What is picked along one dimension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Axis {
    Forwards(DimensionPlacement),
    /// The same elements; the highest comes first.
    Backwards(DimensionPlacement),
    /// Those in the `nth` chunk of a list, whose targets count from `origin`.
    Listed {
        list: Arc<ListedDimension>,
        nth: u64,
        origin: u64,
    },
}

impl Picks {
    pub(crate) fn product(output: usize, axes: Vec<Axis>) -> Self {
        Self { output, elements: Elements::Product(axes) }
    }

    pub(crate) fn points(output: usize, points: PointPart) -> Self {
        Self { output, elements: Elements::Points(points) }
    }

    pub(crate) fn mask(output: usize, mask: MaskPart) -> Self {
        Self { output, elements: Elements::Mask(mask) }
    }

    /// Number of the output.
    #[must_use]
    pub fn output(&self) -> usize {
        self.output
    }

    /// As [`Placement::shape`](crate::Placement::shape).
    pub(crate) fn shape(&self) -> Option<Vec<u64>> {
        let axes = self.region_axes()?;
        Some(axes.iter().map(Axis::len).collect())
    }

    /// As [`Placement::origin`](crate::Placement::origin).
    pub(crate) fn origin(&self) -> Option<Vec<u64>> {
        let axes = self.region_axes()?;
        Some(axes.iter().map(Axis::first_target).collect())
    }

    /// The axes, if the targets of each lie next to one another.
    fn region_axes(&self) -> Option<&[Axis]> {
        match &self.elements {
            Elements::Product(axes) if axes.iter().all(Axis::is_connected) => Some(axes),
            Elements::Product(_) | Elements::Points(_) | Elements::Mask(_) => None,
        }
    }

    /// The same elements, put at the start of an output of their own [`shape`](Self::shape); `None` if
    /// they have none.
    #[must_use]
    pub fn at_origin(&self) -> Option<Self> {
        let axes = self.region_axes()?.iter().map(Axis::at_origin).collect();
        Some(Self { output: self.output, elements: Elements::Product(axes) })
    }

    /// Hands over all elements, some runs at a time, to `take`, until that answers `false`. The chunk lies
    /// as `chunk` says, the output in C order with strides of `target_strides` elements. Whether `take`
    /// always answered `true`.
    pub fn runs(
        &self,
        chunk: ChunkLayout<'_>,
        target_strides: &[u64],
        take: &mut dyn FnMut(&[Run]) -> bool,
    ) -> bool {
        let mut runs = Runs { block: Vec::with_capacity(BLOCK), take, wanted: true };
        match &self.elements {
            Elements::Product(axes) => {
                product_runs(axes, chunk.strides, target_strides, &mut runs);
            }
            Elements::Points(points) => points.runs(chunk, &mut runs),
            Elements::Mask(mask) => mask.runs(chunk, &mut runs),
        }
        runs.flush();
        runs.wanted
    }

    /// The elements' linear numbers in the chunk and in the output, in no particular order. As
    /// [`runs`](Self::runs).
    #[must_use]
    pub fn numbers(&self, chunk: ChunkLayout<'_>, target_strides: &[u64]) -> Vec<(u64, u64)> {
        let mut numbers = Vec::new();
        self.runs(chunk, target_strides, &mut |runs| {
            for run in runs {
                numbers.extend((0..run.len).map(|index| {
                    let source =
                        run.source.wrapping_add_signed(run.source_step * index.cast_signed());
                    (source, run.target + index)
                }));
            }
            true
        });
        numbers
    }
}

/// Runs on their way, a block at a time.
pub(crate) struct Runs<'a> {
    block: Vec<Run>,
    take: &'a mut dyn FnMut(&[Run]) -> bool,
    wanted: bool,
}

impl Runs<'_> {
    pub(crate) fn push(&mut self, run: Run) {
        if self.block.len() == BLOCK {
            self.flush();
        }
        self.block.push(run);
    }

    /// Adds an element, to the last run where it continues that.
    pub(crate) fn push_element(&mut self, source: u64, target: u64) {
        if let Some(last) = self.block.last_mut()
            && last.target + last.len == target
        {
            let distance = source.wrapping_sub(last.source).cast_signed();
            if last.len == 1 {
                *last = Run { source_step: distance, len: 2, ..*last };
                return;
            }
            if last.source_step.checked_mul(last.len.cast_signed()) == Some(distance) {
                last.len += 1;
                return;
            }
        }
        self.push(Run { source, source_step: 1, target, len: 1 });
    }

    /// Whether anybody wants more.
    pub(crate) fn are_wanted(&self) -> bool {
        self.wanted
    }

    fn flush(&mut self) {
        if self.wanted && !self.block.is_empty() {
            self.wanted = (self.take)(&self.block);
        }
        self.block.clear();
    }
}

impl Axis {
    fn len(&self) -> u64 {
        match self {
            Self::Forwards(part) | Self::Backwards(part) => part.len,
            Self::Listed { list, nth, .. } => list.part(*nth).len() as u64,
        }
    }

    fn first_target(&self) -> u64 {
        match self {
            Self::Forwards(part) | Self::Backwards(part) => part.target_start,
            Self::Listed { list, nth, origin } => {
                list.part(*nth).first().map_or(0, |position| position.target - origin)
            }
        }
    }

    /// Whether the targets lie next to one another.
    fn is_connected(&self) -> bool {
        match self {
            Self::Forwards(_) | Self::Backwards(_) => true,
            Self::Listed { list, nth, .. } => {
                let part = list.part(*nth);
                part.first()
                    .zip(part.last())
                    .is_none_or(|(first, last)| last.target - first.target == part.len() as u64 - 1)
            }
        }
    }

    fn at_origin(&self) -> Self {
        match self {
            Self::Forwards(part) => Self::Forwards(DimensionPlacement { target_start: 0, ..*part }),
            Self::Backwards(part) => {
                Self::Backwards(DimensionPlacement { target_start: 0, ..*part })
            }
            Self::Listed { list, nth, origin } => {
                Self::Listed { list: list.clone(), nth: *nth, origin: origin + self.first_target() }
            }
        }
    }

    /// Calls `each` with the position in the chunk and in the output of all elements.
    fn each(&self, mut each: impl FnMut(u64, u64)) {
        match self {
            Self::Forwards(part) => {
                for index in 0..part.len {
                    let source = part.source_start + index * part.source_step;
                    each(source, part.target_start + index);
                }
            }
            Self::Backwards(part) => {
                let last = part.len.saturating_sub(1);
                for index in 0..part.len {
                    let source = part.source_start + (last - index) * part.source_step;
                    each(source, part.target_start + index);
                }
            }
            Self::Listed { list, nth, origin } => {
                for position in list.part(*nth) {
                    each(position.source, position.target - origin);
                }
            }
        }
    }
}

/// The runs of all combinations of the axes' elements.
fn product_runs(
    axes: &[Axis],
    source_strides: &[u64],
    target_strides: &[u64],
    runs: &mut Runs<'_>,
) {
    // Dimensions with one element only shift the others, which may lie next to one another then.
    let (mut source, mut target) = (0, 0);
    let mut longer = Vec::with_capacity(axes.len());
    for ((axis, &source_stride), &target_stride) in
        axes.iter().zip(source_strides).zip(target_strides)
    {
        if axis.len() == 1 {
            axis.each(|from, to| {
                source += from * source_stride;
                target += to * target_stride;
            });
        } else {
            longer.push(StridedAxis { axis, source_stride, target_stride });
        }
    }
    combine(&longer, source, target, runs);
}

struct StridedAxis<'a> {
    axis: &'a Axis,
    source_stride: u64,
    target_stride: u64,
}

fn combine(axes: &[StridedAxis<'_>], source: u64, target: u64, runs: &mut Runs<'_>) {
    match axes {
        [] => runs.push(Run { source, source_step: 1, target, len: 1 }),
        [last] if last.target_stride == 1 => last.runs(source, target, runs),
        [outer, inner @ ..] => outer.axis.each(|from, to| {
            if runs.are_wanted() {
                let source = source + from * outer.source_stride;
                combine(inner, source, target + to * outer.target_stride, runs);
            }
        }),
    }
}

impl StridedAxis<'_> {
    /// The runs of an axis along which the output is contiguous.
    fn runs(&self, source: u64, target: u64, runs: &mut Runs<'_>) {
        let stepped =
            |part: &DimensionPlacement| (part.source_step * self.source_stride).cast_signed();
        match self.axis {
            Axis::Forwards(part) | Axis::Backwards(part) if part.len == 0 => {}
            Axis::Forwards(part) => runs.push(Run {
                source: source + part.source_start * self.source_stride,
                source_step: stepped(part),
                target: target + part.target_start,
                len: part.len,
            }),
            Axis::Backwards(part) => {
                let highest = part.source_start + (part.len - 1) * part.source_step;
                runs.push(Run {
                    source: source + highest * self.source_stride,
                    source_step: -stepped(part),
                    target: target + part.target_start,
                    len: part.len,
                });
            }
            listed @ Axis::Listed { .. } => listed.each(|from, to| {
                runs.push_element(source + from * self.source_stride, target + to);
            }),
        }
    }
}
