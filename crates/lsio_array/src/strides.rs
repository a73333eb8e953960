//! Strides: the distance in memory between neighbours along each dimension.

/// Strides in elements of a contiguous array whose axes lie in `axis_order`, slowest first.
/// `None` if a stride does not fit 64 bits.
#[must_use]
pub fn strides_in_order(shape: &[u64], axis_order: &[usize]) -> Option<Vec<u64>> {
    let mut strides = vec![0; shape.len()];
    let mut stride = 1u64;
    for &axis in axis_order.iter().rev() {
        strides[axis] = stride;
        // A dimension without elements takes no room, but its neighbours still need a stride.
        stride = stride.checked_mul(shape[axis].max(1))?;
    }
    Some(strides)
}

/// Strides in elements of a contiguous array in C order (last axis fastest).
#[must_use]
pub fn c_strides(shape: &[u64]) -> Option<Vec<u64>> {
    let order: Vec<usize> = (0..shape.len()).collect();
    strides_in_order(shape, &order)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strides_follow_the_axis_order() {
        assert_eq!(c_strides(&[2, 3, 4]), Some(vec![12, 4, 1]));
        assert_eq!(strides_in_order(&[2, 3, 4], &[2, 1, 0]), Some(vec![1, 2, 6]));
        assert_eq!(strides_in_order(&[2, 3, 4], &[1, 0, 2]), Some(vec![4, 8, 1]));
        assert_eq!(c_strides(&[]), Some(vec![]));
        assert_eq!(c_strides(&[3, 0, 2]), Some(vec![2, 2, 1]));
        assert_eq!(c_strides(&[2, 1 << 40, 1 << 40]), None);
    }
}
