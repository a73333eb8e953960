//! Results as the facade takes them: bytes that JavaScript owns from then on, and how they lie.

use lsio::{
    Layout, Lease, PackedBatch, PackedChunk, PackedElements, ReadResult, ReadValues, Region,
    Strings, Summary, Values,
};
use napi_derive::napi;

use crate::unsafe_js_values::{NumberTable, OwnedBytes};

/// What a whole read brings: all elements of fixed size in one buffer, or texts for each region.
#[napi(object, object_from_js = false)]
pub struct NativeRead {
    /// Absent for texts, and where the elements were written to memory of the caller.
    #[napi(ts_type = "ArrayBuffer")]
    pub buffer: Option<OwnedBytes>,
    /// One for each region, for elements of varying length.
    pub texts: Option<Vec<NativeTexts>>,
    /// For each region: its first byte, its bytes, its rank, then its shape, then its stride in elements.
    #[napi(ts_type = "Float64Array")]
    pub layouts: NumberTable,
}

/// Texts as UTF-8: text `i` is `bytes[offsets[i]..offsets[i + 1]]`.
#[napi(object, object_from_js = false)]
pub struct NativeTexts {
    /// 64-bit unsigned integers.
    #[napi(ts_type = "ArrayBuffer")]
    pub offsets: OwnedBytes,
    /// All texts, one after the other.
    #[napi(ts_type = "ArrayBuffer")]
    pub bytes: OwnedBytes,
}

/// Chunks of a reader.
#[napi(object, object_from_js = false)]
pub struct NativeBatch {
    /// The rank of the grid and the rank of the chunks. Then for each chunk: the number of its buffer, or
    /// of its texts; its first byte there; its bytes; its coordinates in the grid, its origin in the
    /// result, its shape, its stride in elements.
    #[napi(ts_type = "Float64Array")]
    pub table: NumberTable,
    /// Elements of fixed size.
    #[napi(ts_type = "Array<ArrayBuffer>")]
    pub buffers: Vec<OwnedBytes>,
    /// Chunks in each buffer.
    pub holders: Vec<u32>,
    /// Elements of varying length.
    pub texts: Option<Vec<NativeTexts>>,
}

/// Statistics of a whole array.
#[napi(object, object_from_js = false)]
#[derive(Debug)]
pub struct NativeSummary {
    /// Smallest value; NaN if there is none.
    pub min: f64,
    /// Largest value; NaN if there is none.
    pub max: f64,
    /// Mean; NaN if there is no value.
    pub mean: f64,
    /// Elements that are missing.
    pub missing: f64,
    /// All elements.
    pub count: f64,
}

impl From<ReadResult> for NativeRead {
    fn from(result: ReadResult) -> Self {
        let layouts = NumberTable(result.regions.iter().flat_map(region_entries).collect());
        let (buffer, texts) = match result.values {
            ReadValues::Shared(lease) => (Some(owned(lease)), None),
            ReadValues::Written => (None, None),
            ReadValues::Each(values) => {
                let texts = values.into_iter().filter_map(|values| match values {
                    Values::Fixed(_) => None,
                    Values::Variable(strings) => Some(strings.into()),
                });
                (None, Some(texts.collect()))
            }
        };
        Self { buffer, texts, layouts }
    }
}

fn region_entries(region: &Region) -> impl Iterator<Item = f64> {
    let Layout { shape, strides } = &region.layout;
    let head = [region.offset, region.len, shape.len() as u64];
    head.into_iter().chain(shape.iter().chain(strides).copied()).map(|entry| entry as f64)
}

/// A buffer of the pool as JavaScript's own.
pub(crate) fn owned(lease: Lease) -> OwnedBytes {
    OwnedBytes::new(Box::new(lease), |lease| &mut **lease)
}

impl From<Strings> for NativeTexts {
    fn from(Strings { elements, held }: Strings) -> Self {
        let bytes = Box::new((elements.bytes, held));
        Self {
            offsets: OwnedBytes::from_offsets(elements.offsets),
            bytes: OwnedBytes::new(bytes, |(bytes, _held)| bytes.as_mut_slice()),
        }
    }
}

impl From<PackedBatch> for NativeBatch {
    fn from(PackedBatch { buffers, chunks }: PackedBatch) -> Self {
        let ranks = chunks
            .first()
            .map_or([0, 0], |chunk| [chunk.coordinates.len() as u64, chunk.origin.len() as u64]);
        let mut table: Vec<f64> = ranks.map(|rank| rank as f64).into();
        let mut holders = vec![0; buffers.len()];
        let mut texts = Vec::new();
        for PackedChunk { coordinates, origin, layout, elements } in chunks {
            let place = match elements {
                PackedElements::Bytes { buffer, offset, len } => {
                    holders[buffer] += 1;
                    [buffer, offset, len]
                }
                PackedElements::Texts(strings) => {
                    texts.push(strings.into());
                    [texts.len() - 1, 0, 0]
                }
            };
            table.extend(place.map(|entry| entry as f64));
            for entries in [&coordinates, &origin, &layout.shape, &layout.strides] {
                table.extend(entries.iter().map(|&entry| entry as f64));
            }
        }
        Self {
            table: NumberTable(table),
            buffers: buffers.into_iter().map(owned).collect(),
            holders,
            texts: (!texts.is_empty()).then_some(texts),
        }
    }
}

impl From<Summary> for NativeSummary {
    fn from(summary: Summary) -> Self {
        let Summary { min, max, mean, missing, count } = summary;
        Self { min, max, mean, missing: missing as f64, count: count as f64 }
    }
}
