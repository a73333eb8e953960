//! What reads must bring, worked out element by element.

use lsio::DimensionSelection;

/// Calls `visit` with every index of `shape`, in C order.
pub(crate) fn for_each_index(shape: &[u64], mut visit: impl FnMut(&[u64])) {
    if shape.contains(&0) {
        return;
    }
    let mut index = vec![0; shape.len()];
    loop {
        visit(&index);
        let Some(axis) = (0..shape.len()).rev().find(|&axis| index[axis] + 1 < shape[axis]) else {
            return;
        };
        index[axis] += 1;
        index[axis + 1..].fill(0);
    }
}

/// Number of the element at `index` in C order.
pub(crate) fn number_of(index: &[u64], shape: &[u64]) -> usize {
    index.iter().zip(shape).fold(0, |number, (at, len)| number * len + at) as usize
}

/// Shape and bytes of what `selection` picks of an array in C order, as NumPy has it.
pub(crate) fn pick(
    elements: &[u8],
    size: usize,
    shape: &[u64],
    selection: &[DimensionSelection],
) -> (Vec<u64>, Vec<u8>) {
    let axes: Vec<Vec<u64>> =
        selection.iter().zip(shape).map(|(wanted, &len)| positions(wanted, len)).collect();
    let kept = |wanted: &DimensionSelection| !matches!(wanted, DimensionSelection::Index(_));
    let lengths: Vec<u64> = axes.iter().map(|axis| axis.len() as u64).collect();
    let result_shape =
        lengths.iter().zip(selection).filter(|(_, w)| kept(w)).map(|(len, _)| *len).collect();
    let mut picked = Vec::new();
    for_each_index(&lengths, |index| {
        let source: Vec<u64> =
            index.iter().zip(&axes).map(|(&at, axis)| axis[at as usize]).collect();
        let at = number_of(&source, shape) * size;
        picked.extend_from_slice(&elements[at..at + size]);
    });
    (result_shape, picked)
}

/// The positions that one entry picks, by counting.
pub(crate) fn positions(wanted: &DimensionSelection, len: u64) -> Vec<u64> {
    let signed = len.cast_signed();
    let from_end = |at: i64| if at < 0 { at + signed } else { at };
    match wanted {
        DimensionSelection::All => (0..len).collect(),
        DimensionSelection::Ellipsis => panic!("an ellipsis is no dimension"),
        DimensionSelection::Index(at) => vec![from_end(*at).cast_unsigned()],
        DimensionSelection::Indices(indices) => {
            indices.iter().map(|&at| from_end(at).cast_unsigned()).collect()
        }
        DimensionSelection::Mask(mask) => (0..len).filter(|&at| mask.any(at..at + 1)).collect(),
        DimensionSelection::Slice { start, stop, step } => {
            let step = step.unwrap_or(1);
            if step < 0 {
                let start = start.map_or(signed - 1, from_end).min(signed - 1);
                let stop = stop.map_or(-1, from_end);
                let wanted = |at: &i64| *at <= start && *at > stop && (start - *at) % step == 0;
                return (0..signed).rev().filter(wanted).map(i64::cast_unsigned).collect();
            }
            let start = start.map_or(0, from_end);
            let stop = stop.map_or(signed, from_end);
            let first = start.max(0);
            let wanted = |at: &i64| *at >= first && *at < stop && (*at - first) % step == 0;
            (0..signed).filter(wanted).map(i64::cast_unsigned).collect()
        }
    }
}
