//! Tasks: what the executor does one at a time, worked out on demand.

use smallvec::{SmallVec, smallvec};

use crate::{ChunkGrid, DimensionPlacement, Placement, Region, ResolvedSelection, TouchedChunks};

/// One chunk that a task needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskInput {
    /// Index of the source, when a request reads several.
    pub source: usize,
    /// Grid coordinates of the chunk.
    pub chunk: Vec<u64>,
    /// What is done with its elements.
    pub placements: SmallVec<[Placement; 1]>,
}

impl TaskInput {
    /// All of the chunk with these grid coordinates, in one placement at the start of its output.
    #[must_use]
    pub fn whole_chunk(source: usize, chunk: Vec<u64>, chunk_shape: &[u64]) -> Self {
        let part = |&len: &u64| DimensionPlacement {
            source_start: 0,
            source_step: 1,
            target_start: 0,
            len,
        };
        let dimensions = chunk_shape.iter().map(part).collect();
        let placements = smallvec![Placement::Region(Region { output: 0, dimensions })];
        Self { source, chunk, placements }
    }
}

/// The smallest piece of work: it runs when all its inputs have arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Number in its plan; results are folded in this order.
    pub number: u64,
    /// One chunk or more.
    pub inputs: SmallVec<[TaskInput; 1]>,
}

/// The tasks of a request, by number. Nothing is kept for each task unless the plan itself must.
pub trait TaskPlan: Send + Sync + std::fmt::Debug {
    /// Number of tasks.
    fn len(&self) -> u64;

    /// Whether there is nothing to do.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The task with this number, below [`len`](TaskPlan::len).
    fn task(&self, number: u64) -> Task;
}

impl TaskPlan for TouchedChunks {
    fn len(&self) -> u64 {
        Self::len(self)
    }

    fn task(&self, number: u64) -> Task {
        let (chunk, placement) = self.chunk(number, 0);
        Task {
            number,
            inputs: smallvec![TaskInput { source: 0, chunk, placements: smallvec![placement] }],
        }
    }
}

/// Several selections of one array: each chunk that any of them touches is one task.
#[derive(Debug)]
pub struct ManySelections {
    selections: Vec<TouchedChunks>,
    /// `(chunk coordinates, selection, number within the selection)`, sorted.
    touched: Vec<(Vec<u64>, usize, u64)>,
    /// Where each task starts in `touched`.
    starts: Vec<usize>,
}

impl ManySelections {
    /// Plans all selections together. `None` if one does not fit the grid or there are more touched
    /// chunks than memory can address.
    #[must_use]
    pub fn new(grid: &ChunkGrid, selections: Vec<ResolvedSelection>) -> Option<Self> {
        let selections = selections
            .into_iter()
            .map(|selection| TouchedChunks::new(grid.clone(), selection))
            .collect::<Option<Vec<_>>>()?;
        let mut touched = Vec::new();
        for (output, selection) in selections.iter().enumerate() {
            touched.try_reserve(usize::try_from(selection.len()).ok()?).ok()?;
            for number in 0..selection.len() {
                touched.push((selection.chunk(number, output).0, output, number));
            }
        }
        touched.sort_unstable();
        let starts = (0..touched.len())
            .filter(|&index| index == 0 || touched[index].0 != touched[index - 1].0)
            .collect();
        Some(Self { selections, touched, starts })
    }

    /// The selections, in the order given.
    #[must_use]
    pub fn selections(&self) -> &[TouchedChunks] {
        &self.selections
    }
}

impl TaskPlan for ManySelections {
    fn len(&self) -> u64 {
        self.starts.len() as u64
    }

    fn task(&self, number: u64) -> Task {
        let index = number as usize;
        let end = self.starts.get(index + 1).copied().unwrap_or(self.touched.len());
        let touched = &self.touched[self.starts[index]..end];
        let placements = touched
            .iter()
            .map(|(_, output, nth)| self.selections[*output].chunk(*nth, *output).1)
            .collect();
        let chunk = touched[0].0.clone();
        Task { number, inputs: smallvec![TaskInput { source: 0, chunk, placements }] }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::DimensionSelection::{All, Index};

    #[test]
    fn selections_that_share_a_chunk_share_its_task() {
        let grid = ChunkGrid::new(&[4, 4], &[2, 2]).unwrap();
        let resolve = |wanted: &[_]| ResolvedSelection::resolve(wanted, &[4, 4]).unwrap();
        let plan = ManySelections::new(
            &grid,
            vec![
                resolve(&[Index(0), All]),
                resolve(&[Index(1), All]),
                resolve(&[Index(3), Index(0)]),
            ],
        )
        .unwrap();
        let tasks: Vec<Task> = (0..plan.len()).map(|number| plan.task(number)).collect();
        let outputs = |task: &Task| -> Vec<usize> {
            task.inputs[0].placements.iter().map(Placement::output).collect()
        };
        assert_eq!(tasks.len(), 3);
        assert_eq!((&tasks[0].inputs[0].chunk[..], outputs(&tasks[0])), (&[0, 0][..], vec![0, 1]));
        assert_eq!((&tasks[1].inputs[0].chunk[..], outputs(&tasks[1])), (&[0, 1][..], vec![0, 1]));
        assert_eq!((&tasks[2].inputs[0].chunk[..], outputs(&tasks[2])), (&[1, 0][..], vec![2]));
    }
}
