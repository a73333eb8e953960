//! An array of records as one of a field: of each record the field's bytes are taken where it is decoded.

use std::sync::Arc;

use lsio_io::Storage;

use crate::scratch_decode::decode_to_scratch;
use crate::{
    ArrayInfo, ChunkError, ChunkErrorKind, ChunkGrid, ChunkSource, DataType, Decoded, Destination,
    Encoded, FieldPlace, KnownReads, Location, Params, Parsed, ReadSpec, Resume,
};

/// Another source with one field of its records. Chunks are decoded to scratch memory, and the field is
/// gathered into their destination.
///
/// The dimensions of the field, if it has any, come behind those of the array; a chunk has all of them.
#[derive(Debug)]
pub struct FieldSource {
    inner: Arc<dyn ChunkSource>,
    place: FieldPlace,
    record_size: usize,
    info: ArrayInfo,
}

/// Why a field cannot be read by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoFieldSource {
    /// The array has no records, or these have no such field.
    #[error("there is no such field")]
    NoSuchField,
    /// Elements of the field would be missing with different values.
    #[error("the fill value of the field is not the same for all of its elements")]
    UnevenFill,
}

impl FieldSource {
    /// The field that `path` leads to, as [`StructType::find`](crate::StructType::find) has it.
    ///
    /// # Errors
    /// [`NoFieldSource`] where it cannot be read by itself.
    pub fn new(inner: Arc<dyn ChunkSource>, path: &str) -> Result<Self, NoFieldSource> {
        let stored = inner.info();
        let DataType::Struct(record) = &stored.data_type else {
            return Err(NoFieldSource::NoSuchField);
        };
        let record_size = record.size();
        let place = record.find(path).ok_or(NoFieldSource::NoSuchField)?;
        let size = place.data_type.size().ok_or(NoFieldSource::NoSuchField)?;
        let each = place.shape.iter().product::<usize>();
        // No larger than a record, so nothing below can overflow.
        let mut fill = vec![0; each * size];
        gather(&stored.fill_value, record_size, &place, size, &mut fill);
        let one = fill.get(..size).unwrap_or_default();
        if fill.chunks_exact(size).any(|other| other != one) {
            return Err(NoFieldSource::UnevenFill);
        }
        let count = stored.decoded_len / record_size as u64;
        let decoded_len = count * (each * size) as u64;
        let extents = || place.shape.iter().map(|&extent| extent as u64);
        let rank = stored.shape.len();
        let info = ArrayInfo {
            shape: stored.shape.iter().copied().chain(extents()).collect(),
            chunk_shape: stored.chunk_shape.iter().copied().chain(extents()).collect(),
            axis_order: (stored.axis_order.iter().copied())
                .chain(rank..rank + place.shape.len())
                .collect(),
            data_type: place.data_type.clone(),
            fill_value: one.into(),
            scratch_len: stored.scratch_len.saturating_add(stored.decoded_len),
            decoded_len,
            decoded_limit: decoded_len,
            stored_as_is: None,
            comes_in_pieces: false,
            ..stored.clone()
        };
        Ok(Self { inner, place, record_size, info })
    }

    /// Coordinates of the records' chunk.
    fn inner_chunk<'a>(&self, chunk: &'a [u64]) -> &'a [u64] {
        chunk.get(..self.inner.info().shape.len()).unwrap_or(chunk)
    }
}

impl ChunkSource for FieldSource {
    fn info(&self) -> &ArrayInfo {
        &self.info
    }

    fn grid(&self) -> Option<ChunkGrid> {
        let inner = self.inner.grid()?;
        inner.followed_by(self.info.shape.get(inner.shape().len()..)?)
    }

    fn stores(&self) -> &[Arc<dyn Storage>] {
        self.inner.stores()
    }

    fn locate(&self, chunk: &[u64], known: &dyn KnownReads) -> Result<Location, ChunkError> {
        self.inner.locate(self.inner_chunk(chunk), known)
    }

    fn parse(
        &self,
        spec: &ReadSpec,
        bytes: Option<&[u8]>,
        object_len: u64,
    ) -> Result<Parsed, ChunkError> {
        self.inner.parse(spec, bytes, object_len)
    }

    fn decode(
        &self,
        chunk: &[u64],
        params: &Params,
        encoded: Encoded<'_>,
        destination: Destination<'_>,
        scratch: &mut [u8],
        resume: &Arc<dyn Resume>,
    ) -> Result<Decoded, ChunkError> {
        let chunk = self.inner_chunk(chunk);
        let take = |records: &[u8]| {
            let needed = self.info.decoded_len;
            let Destination::Fixed(target) = destination else {
                return Err(ChunkErrorKind::TooLarge { needed, limit: 0 });
            };
            if target.len() as u64 != needed {
                return Err(ChunkErrorKind::TooLarge { needed, limit: target.len() as u64 });
            }
            let size = self.place.data_type.size().unwrap_or(1);
            gather(records, self.record_size, &self.place, size, target);
            Ok(Decoded::Complete)
        };
        decode_to_scratch(&*self.inner, chunk, params, encoded, scratch, resume, take)
    }
}

/// Copies the field of each record, one behind the other. Elements of the field have `size` bytes.
fn gather(
    records: &[u8],
    record_size: usize,
    place: &FieldPlace,
    size: usize,
    mut target: &mut [u8],
) {
    // Copies of a known length are single instructions.
    match (place.shape.is_empty(), size) {
        (true, 1) => return gather_each::<1>(records, record_size, place.offset, target),
        (true, 2) => return gather_each::<2>(records, record_size, place.offset, target),
        (true, 4) => return gather_each::<4>(records, record_size, place.offset, target),
        (true, 8) => return gather_each::<8>(records, record_size, place.offset, target),
        _ => {}
    }
    for record in records.chunks_exact(record_size) {
        let field = record.get(place.offset..).unwrap_or_default();
        target = gather_field(field, &place.shape, &place.strides, size, target);
    }
}

/// Copies fields of `N` bytes.
fn gather_each<const N: usize>(
    records: &[u8],
    record_size: usize,
    offset: usize,
    target: &mut [u8],
) {
    let fields = records.chunks_exact(record_size).map(|record| record.get(offset..));
    for (field, to) in fields.zip(target.as_chunks_mut::<N>().0) {
        if let Some(field) = field.and_then(<[u8]>::first_chunk::<N>) {
            *to = *field;
        }
    }
}

/// Copies the elements of one field to the start of `target` and gives the rest of it.
fn gather_field<'a>(
    field: &[u8],
    shape: &[usize],
    strides: &[usize],
    size: usize,
    mut target: &'a mut [u8],
) -> &'a mut [u8] {
    let (Some((&extent, shape)), Some((&stride, strides))) =
        (shape.split_first(), strides.split_first())
    else {
        let (to, rest) = target.split_at_mut(size.min(target.len()));
        if let Some(element) = field.get(..to.len()) {
            to.copy_from_slice(element);
        }
        return rest;
    };
    for part in field.chunks(stride).take(extent) {
        target = gather_field(part, shape, strides, size, target);
    }
    target
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::{StructField, StructPart, StructType};

    fn field(name: &str, data_type: DataType, shape: &[usize]) -> StructPart {
        let (name, shape) = (name.to_owned(), shape.to_vec());
        StructPart::Field(StructField { name, data_type, shape, stored_order: None })
    }

    #[test]
    fn fields_are_gathered_in_the_order_of_their_records() {
        let pair = StructType::new(vec![
            field("x", DataType::Int8, &[]),
            StructPart::Padding(1),
            field("y", DataType::Int8, &[2]),
        ]);
        let pair = DataType::Struct(Arc::new(pair.unwrap()));
        let record = StructType::new(vec![
            field("id", DataType::Int16, &[]),
            field("pairs", pair, &[3]),
            field("raw", DataType::RawBytes { length: 3 }, &[]),
        ]);
        let record = record.unwrap();
        let records: Vec<u8> = (0..34).collect();
        let taken = |path: &str| {
            let place = record.find(path).unwrap();
            let size = place.data_type.size().unwrap();
            let mut target = vec![0; 2 * size * place.shape.iter().product::<usize>()];
            gather(&records, record.size(), &place, size, &mut target);
            target
        };
        assert_eq!(taken("id"), [0, 1, 17, 18]);
        assert_eq!(taken("pairs.x"), [2, 6, 10, 19, 23, 27]);
        assert_eq!(taken("pairs.y"), [4, 5, 8, 9, 12, 13, 21, 22, 25, 26, 29, 30]);
        assert_eq!(taken("pairs"), [&records[2..14], &records[19..31]].concat());
        assert_eq!(taken("raw"), [14, 15, 16, 31, 32, 33]);
    }
}
