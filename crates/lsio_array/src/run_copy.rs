//! Copies of runs of elements from a chunk to an output.

use crate::{OutputBuffer, Run};

/// Elements of a run from which on they are copied as one piece: a call of memcpy takes as long as some
/// elements one by one.
const LEAST_COPIED: u64 = 4;

impl OutputBuffer {
    /// Copies runs of `source`, whose elements have `element` bytes, to targets `shift` bytes further on.
    /// `false` if one lies outside of either side; those before it were copied.
    #[must_use]
    pub fn copy_runs(&self, source: &[u8], runs: &[Run], element: usize, shift: usize) -> bool {
        each_target(runs, element, |run, from, len| {
            let target = self.region(from.checked_add(shift)?, len)?;
            copy_run(source, run, element, target)
        })
    }

    /// Writes `element` to all targets of `runs`, `shift` bytes further on. `false` if one lies outside.
    #[must_use]
    pub fn fill_runs(&self, element: &[u8], runs: &[Run], shift: usize) -> bool {
        each_target(runs, element.len(), |_, from, len| {
            let target = self.region(from.checked_add(shift)?, len)?;
            target.chunks_exact_mut(element.len()).for_each(|it| it.copy_from_slice(element));
            Some(())
        })
    }
}

/// Copies runs of `source`, whose elements have `element` bytes, to `target`. `false` if one lies outside
/// of either side; those before it were copied.
#[must_use]
pub fn copy_runs(source: &[u8], runs: &[Run], element: usize, target: &mut [u8]) -> bool {
    each_target(runs, element, |run, from, len| {
        let target = target.get_mut(from..from.checked_add(len)?)?;
        copy_run(source, run, element, target)
    })
}

/// Calls `copy` with each run and the bytes of its target: the first, and how many.
fn each_target(
    runs: &[Run],
    element: usize,
    mut copy: impl FnMut(&Run, usize, usize) -> Option<()>,
) -> bool {
    let mut one = |run: &Run| {
        let from = usize::try_from(run.target).ok()?.checked_mul(element)?;
        let len = usize::try_from(run.len).ok()?.checked_mul(element)?;
        copy(run, from, len)
    };
    element > 0 && runs.iter().all(|run| one(run).is_some())
}

fn copy_run(source: &[u8], run: &Run, element: usize, target: &mut [u8]) -> Option<()> {
    let from = usize::try_from(run.source).ok()?.checked_mul(element)?;
    if run.source_step == 1 && run.len >= LEAST_COPIED {
        target.copy_from_slice(source.get(from..from.checked_add(target.len())?)?);
        return Some(());
    }
    let step = isize::try_from(run.source_step).ok()?.checked_mul(element.cast_signed())?;
    match element {
        1 => copy_elements::<1>(source, from, step, target),
        2 => copy_elements::<2>(source, from, step, target),
        4 => copy_elements::<4>(source, from, step, target),
        8 => copy_elements::<8>(source, from, step, target),
        16 => copy_elements::<16>(source, from, step, target),
        _ => {
            let mut at = from;
            for target in target.chunks_exact_mut(element) {
                target.copy_from_slice(source.get(at..at.checked_add(element)?)?);
                at = at.wrapping_add_signed(step);
            }
            Some(())
        }
    }
}

/// Copies elements whose size the compiler knows.
fn copy_elements<const SIZE: usize>(
    source: &[u8],
    from: usize,
    step: isize,
    target: &mut [u8],
) -> Option<()> {
    let mut at = from;
    let (targets, _) = target.as_chunks_mut::<SIZE>();
    for target in targets {
        *target = *source.get(at..)?.first_chunk()?;
        // Past the last element it may leave the chunk, and is not looked at.
        at = at.wrapping_add_signed(step);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn run(source: u64, source_step: i64, target: u64, len: u64) -> Run {
        Run { source, source_step, target, len }
    }

    #[test]
    fn runs_go_forwards_backwards_and_stay() {
        for element in [1, 2, 3, 4, 8, 16] {
            let numbers = |values: &[u8]| -> Vec<u8> {
                values.iter().flat_map(|&value| vec![value; element]).collect()
            };
            let source = numbers(&[0, 1, 2, 3, 4, 5]);
            let mut target = vec![9; 10 * element];
            let runs = [run(1, 1, 0, 3), run(5, -2, 3, 3), run(4, 0, 7, 2)];
            assert!(copy_runs(&source, &runs, element, &mut target));
            assert_eq!(target, numbers(&[1, 2, 3, 5, 3, 1, 9, 4, 4, 9]));
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let outside = [
            run(5, 1, 0, 2),
            run(0, -1, 0, 2),
            run(0, 1, 3, 2),
            run(u64::MAX, 1, 0, 1),
            run(0, 1, u64::MAX, 1),
            run(0, i64::MAX, 0, 2),
        ];
        for run in outside {
            assert!(!copy_runs(&[0; 24], &[run], 4, &mut [0; 16]), "{run:?}");
        }
        assert!(!copy_runs(&[0; 4], &[run(0, 1, 0, 1)], 0, &mut [0; 4]));
    }
}
