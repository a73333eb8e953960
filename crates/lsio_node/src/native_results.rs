//! Results as the facade takes them: bytes that JavaScript owns from then on, and how they lie.

use lsio::{Chunk, Layout, ReadResult, ReadValues, Region, Strings, Summary, Values};
use napi_derive::napi;

use crate::native_error::numbers;
use crate::unsafe_js_values::OwnedBytes;

/// What a whole read brings: all elements of fixed size in one buffer, or texts for each region.
#[napi(object, object_from_js = false)]
pub struct NativeRead {
    /// Absent for texts, and where the elements were written to memory of the caller.
    #[napi(ts_type = "Uint8Array")]
    pub bytes: Option<OwnedBytes>,
    /// One for each region, for elements of varying length.
    pub texts: Option<Vec<NativeTexts>>,
    /// One for each selection.
    pub regions: Vec<NativeRegion>,
}

/// Where a region lies in the bytes of a read.
#[napi(object, object_from_js = false)]
#[derive(Debug)]
pub struct NativeRegion {
    /// First byte.
    pub offset: f64,
    /// Number of bytes.
    pub length: f64,
    /// Elements per dimension.
    pub shape: Vec<f64>,
    /// Distance in elements between neighbours, per dimension.
    pub stride: Vec<f64>,
}

/// Texts as UTF-8: text `i` is `bytes[offsets[i]..offsets[i + 1]]`.
#[napi(object, object_from_js = false)]
pub struct NativeTexts {
    /// 64-bit unsigned integers.
    #[napi(ts_type = "Uint8Array")]
    pub offsets: OwnedBytes,
    /// All texts, one after the other.
    #[napi(ts_type = "Uint8Array")]
    pub bytes: OwnedBytes,
}

/// One chunk of a reader.
#[napi(object, object_from_js = false)]
pub struct NativeChunk {
    /// Which chunk of the grid it is.
    pub coords: Vec<f64>,
    /// Where it begins in the result.
    pub origin: Vec<f64>,
    /// Elements per dimension.
    pub shape: Vec<f64>,
    /// Distance in elements between neighbours, per dimension.
    pub stride: Vec<f64>,
    /// Elements of fixed size.
    #[napi(ts_type = "Uint8Array")]
    pub bytes: Option<OwnedBytes>,
    /// Elements of varying length.
    pub texts: Option<NativeTexts>,
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
        let regions = result.regions.iter().map(NativeRegion::from).collect();
        let (bytes, texts) = match result.values {
            ReadValues::Shared(lease) => {
                (Some(OwnedBytes::new(Box::new(lease), |lease| &mut **lease)), None)
            }
            ReadValues::Written => (None, None),
            ReadValues::Each(values) => {
                (None, Some(values.into_iter().filter_map(|values| elements(values).1).collect()))
            }
        };
        Self { bytes, texts, regions }
    }
}

impl From<&Region> for NativeRegion {
    fn from(region: &Region) -> Self {
        let Layout { shape, strides } = &region.layout;
        Self {
            offset: region.offset as f64,
            length: region.len as f64,
            shape: numbers(shape),
            stride: numbers(strides),
        }
    }
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

impl From<Chunk> for NativeChunk {
    fn from(chunk: Chunk) -> Self {
        let (bytes, texts) = elements(chunk.values);
        Self {
            coords: numbers(&chunk.coordinates),
            origin: numbers(&chunk.origin),
            shape: numbers(&chunk.layout.shape),
            stride: numbers(&chunk.layout.strides),
            bytes,
            texts,
        }
    }
}

impl From<Summary> for NativeSummary {
    fn from(summary: Summary) -> Self {
        let Summary { min, max, mean, missing, count } = summary;
        Self { min, max, mean, missing: missing as f64, count: count as f64 }
    }
}

/// Elements as one of the two forms in which JavaScript gets them.
fn elements(values: Values) -> (Option<OwnedBytes>, Option<NativeTexts>) {
    match values {
        Values::Fixed(lease) => {
            (Some(OwnedBytes::new(Box::new(lease), |lease| &mut **lease)), None)
        }
        Values::Variable(strings) => (None, Some(strings.into())),
    }
}
