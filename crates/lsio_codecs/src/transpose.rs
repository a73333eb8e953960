//! `transpose`: the axes of the chunk in another order.

use serde_json::Value;

use crate::configuration::Members;
use crate::{ArrayCodec, ChunkContext, CodecError};

/// `transpose`: the axes of the chunk in another order.
///
/// A chunk is decoded in its stored order and left so: [`crate::CodecChain::axis_order`] says which
/// that is, and whoever reads the elements follows it. Only encoding moves elements.
///
/// - Specification: Zarr v3 codecs, "transpose codec", version 1.0: axis `i` of the stored array is
///   axis `order[i]` of the chunk.
/// - Names: v3 `transpose`, configuration `{"order": [..]}`, in drafts also `"C"` and `"F"`; v2: the
///   member `order` of the metadata, made with [`Transpose::new`].
///
/// ```
/// use lsio_codecs::Transpose;
///
/// let fortran = Transpose::new(vec![2, 1, 0])?;
/// assert_eq!(fortran.order(), [2, 1, 0]);
/// assert!(Transpose::new(vec![0, 0]).is_err());
/// # Ok::<(), lsio_codecs::CodecError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transpose {
    order: Vec<usize>,
}

impl Transpose {
    /// Name of the codec.
    pub(crate) const NAME: &'static str = "transpose";

    /// Axis `i` of the stored array is axis `order[i]` of the chunk.
    ///
    /// # Errors
    /// [`CodecError::Configuration`] where `order` is not a permutation of the axes.
    pub fn new(order: Vec<usize>) -> Result<Self, CodecError> {
        let mut seen = vec![false; order.len()];
        for &axis in &order {
            match seen.get_mut(axis) {
                Some(seen) if !*seen => *seen = true,
                _ => {
                    let reason = format!("'order' must name each axis once, not {order:?}");
                    return Err(CodecError::configuration(Self::NAME, reason));
                }
            }
        }
        Ok(Self { order })
    }

    /// From the configuration in Zarr v3 metadata.
    pub(crate) fn from_members(
        mut members: Members<'_>,
        context: &ChunkContext,
    ) -> Result<Self, CodecError> {
        let rank = context.shape.len();
        let order = match members.get("order") {
            None => return Err(CodecError::configuration(Self::NAME, "'order' is missing")),
            Some(Value::String(text)) if text == "C" => (0..rank).collect(),
            Some(Value::String(text)) if text == "F" => (0..rank).rev().collect(),
            Some(value) => {
                let axes = value.as_array().and_then(|axes| {
                    axes.iter().map(|axis| usize::try_from(axis.as_u64()?).ok()).collect()
                });
                axes.ok_or_else(|| members.unexpected("order", value, "a list of axes"))?
            }
        };
        members.finish()?;
        let transpose = Self::new(order)?;
        transpose.check_rank(rank)?;
        Ok(transpose)
    }

    /// Axis `i` of the stored array is axis `order()[i]` of the chunk.
    #[must_use]
    pub fn order(&self) -> &[usize] {
        &self.order
    }

    /// What a chunk is after encoding.
    pub(crate) fn encoded_context(
        &self,
        decoded: &ChunkContext,
    ) -> Result<ChunkContext, CodecError> {
        self.check_rank(decoded.shape.len())?;
        let shape = self.order.iter().map(|&axis| decoded.shape[axis]).collect();
        Ok(ChunkContext { shape, ..decoded.clone() })
    }

    /// Checks that there are as many axes as the chunk has.
    pub(crate) fn check_rank(&self, rank: usize) -> Result<(), CodecError> {
        if self.order.len() == rank {
            return Ok(());
        }
        let reason = format!("'order' names {} axes, the chunk has {rank}", self.order.len());
        Err(CodecError::configuration(Self::NAME, reason))
    }
}

/// A transpose behind another array-to-array codec, whose elements stand in the order before it: it is
/// undone when a chunk is decoded.
#[derive(Debug)]
pub(crate) struct MovedAxes {
    transpose: Transpose,
    /// Before the transpose.
    shape: Vec<u64>,
    size: usize,
}

impl MovedAxes {
    /// The transpose of a chunk.
    pub(crate) fn new(transpose: Transpose, context: &ChunkContext) -> Result<Self, CodecError> {
        transpose.check_rank(context.shape.len())?;
        let Some(size) = context.data_type.size() else {
            let reason = "elements that vary in length cannot be moved behind another codec";
            return Err(CodecError::configuration(Transpose::NAME, reason));
        };
        Ok(Self { transpose, shape: context.shape.clone(), size })
    }
}

impl ArrayCodec for MovedAxes {
    fn name(&self) -> &'static str {
        Transpose::NAME
    }

    fn encoded_context(&self, decoded: &ChunkContext) -> Result<ChunkContext, CodecError> {
        self.transpose.encoded_context(decoded)
    }

    fn encoded_fill(&self, fill_value: &[u8]) -> Option<Vec<u8>> {
        Some(fill_value.to_vec())
    }

    fn decode(&self, encoded: &[u8], decoded: &mut [u8]) -> Result<(), CodecError> {
        let indexes = stored_order(&self.shape, self.transpose.order());
        for (element, index) in encoded.chunks_exact(self.size).zip(indexes) {
            decoded[index * self.size..][..self.size].copy_from_slice(element);
        }
        Ok(())
    }

    fn encode(&self, decoded: &[u8], encoded: &mut Vec<u8>) -> Result<(), CodecError> {
        for index in stored_order(&self.shape, self.transpose.order()) {
            encoded.extend_from_slice(&decoded[index * self.size..][..self.size]);
        }
        Ok(())
    }
}

/// Index in C order of each element, in the order in which `axis_order` stores them.
pub(crate) fn stored_order(shape: &[u64], axis_order: &[usize]) -> impl Iterator<Item = usize> {
    let mut strides = vec![1usize; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis] as usize;
    }
    let extents: Vec<usize> = axis_order.iter().map(|&axis| shape[axis] as usize).collect();
    let steps: Vec<usize> = axis_order.iter().map(|&axis| strides[axis]).collect();
    let mut position = vec![0usize; extents.len()];
    let mut next = (!extents.contains(&0)).then_some(0usize);
    std::iter::from_fn(move || {
        let index = next?;
        let mut following = index;
        let mut axis = extents.len();
        next = loop {
            if axis == 0 {
                break None;
            }
            axis -= 1;
            position[axis] += 1;
            following += steps[axis];
            if position[axis] < extents[axis] {
                break Some(following);
            }
            following -= steps[axis] * extents[axis];
            position[axis] = 0;
        };
        Some(index)
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::configuration::Dialect;
    use lsio_array::DataType;

    fn read(text: &str) -> Result<Transpose, CodecError> {
        let map = serde_json::from_str(text).unwrap();
        let context = ChunkContext { data_type: DataType::Int8, shape: vec![2, 3, 4] };
        Transpose::from_members(Members::new(Transpose::NAME, Dialect::V3, &map), &context)
    }

    #[test]
    fn orders_are_read_as_lists_and_as_letters() {
        assert_eq!(read(r#"{"order":[1,2,0]}"#).unwrap().order(), [1, 2, 0]);
        assert_eq!(read(r#"{"order":"C"}"#).unwrap().order(), [0, 1, 2]);
        assert_eq!(read(r#"{"order":"F"}"#).unwrap().order(), [2, 1, 0]);
    }

    #[test]
    fn anything_but_a_permutation_of_the_axes_is_refused() {
        for order in
            ["[0,1]", "[0,1,2,3]", "[0,1,1]", "[0,1,3]", "[0,1,-1]", "[0,1,1.5]", "\"A\"", "3"]
        {
            let error = read(&format!(r#"{{"order":{order}}}"#)).unwrap_err();
            assert!(
                matches!(error, CodecError::Configuration { codec: "transpose", .. }),
                "{order}"
            );
        }
        assert!(read("{}").is_err());
    }

    #[test]
    fn stored_order_walks_the_axes_as_stated() {
        let indexes: Vec<usize> = stored_order(&[2, 3], &[1, 0]).collect();
        assert_eq!(indexes, [0, 3, 1, 4, 2, 5]);
        let indexes: Vec<usize> = stored_order(&[2, 3], &[0, 1]).collect();
        assert_eq!(indexes, [0, 1, 2, 3, 4, 5]);
        assert_eq!(stored_order(&[], &[]).collect::<Vec<_>>(), [0]);
        assert_eq!(stored_order(&[2, 0], &[1, 0]).count(), 0);
    }
}
