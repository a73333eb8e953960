//! `pcodec`: numbers in the standalone format of Pcodec.

use half::f16;
use pco::data_types::Number as PcoNumber;
use pco::errors::{ErrorKind, PcoError};
use pco::standalone::{DecompressorItem, FileDecompressor, simple_compress};
use pco::{ChunkConfig, DeltaSpec, ModeSpec, PagingSpec};

use crate::configuration::Members;
use crate::number::{Element, Number};
use crate::{ArrayBytesCodec, ChunkContext, CodecError, pcodec_memory};

/// Numbers that are decoded at once: a multiple of the 256 of which Pcodec makes batches; as doubles they
/// are 16 KiB.
const BLOCK: usize = 2048;

/// `pcodec`: numbers in the standalone format of Pcodec.
///
/// Decoding takes a file of any number of chunks and refuses another data type, another number of elements,
/// and whatever follows the end. Dates and durations are the integers that they are stored as.
///
/// - Specification: Pcodec, standalone format; numcodecs `pcodec`.
/// - Names: v2 and v3 `pcodec`, v3 `numcodecs.pcodec`: `{"level"?: 0..=12, "mode_spec"?: "auto" | "classic",
///   "delta_spec"?: "auto" | "none" | "try_consecutive" | "try_lookback", "delta_encoding_order"?: 0..=7,
///   "paging_spec"?: "equal_pages_up_to", "equal_pages_up_to"?}`.
///
/// ```
/// use lsio_array::{DataType, Destination};
/// use lsio_codecs::{ChunkContext, CodecChain, codec_v3};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let context = ChunkContext { data_type: DataType::Int64, shape: vec![1000] };
/// let codec = codec_v3("numcodecs.pcodec", &serde_json::Map::new(), &context)?;
/// let chain = CodecChain::new(vec![codec], &context)?;
/// let elements: Vec<u8> = (0..1000i64).flat_map(|i| (i * i).to_ne_bytes()).collect();
/// let mut encoded = Vec::new();
/// chain.encode(&elements, &mut encoded)?;
/// assert!(encoded.len() < 100);
/// let mut decoded = vec![0; 8000];
/// let mut scratch = vec![0; chain.scratch_len() as usize];
/// chain.decode(&encoded, Destination::Fixed(&mut decoded), &mut scratch)?;
/// assert_eq!(decoded, elements);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Pcodec {
    number: Number,
    settings: ChunkConfig,
}

impl Pcodec {
    pub(crate) const NAME: &'static str = "pcodec";

    /// From the configuration in metadata.
    pub(crate) fn from_members(
        mut members: Members<'_>,
        context: &ChunkContext,
    ) -> Result<Self, CodecError> {
        let refused = |member: &str, value: &str| {
            let reason = format!("'{member}' is not known: \"{value}\"");
            Err(CodecError::configuration(Self::NAME, reason))
        };
        let level = members.integer("level", 0..=12)?.unwrap_or(8);
        let mode = match members.string("mode_spec")? {
            None | Some("auto") => ModeSpec::Auto,
            Some("classic") => ModeSpec::Classic,
            Some(other) => return refused("mode_spec", other),
        };
        let order = members.nullable_integer("delta_encoding_order", 0..=7)?;
        let delta = match (members.string("delta_spec")?, order) {
            (None | Some("auto"), None) => DeltaSpec::Auto,
            (None | Some("auto" | "try_consecutive"), order) => {
                DeltaSpec::TryConsecutive(order.unwrap_or(1))
            }
            (Some("none"), _) => DeltaSpec::NoOp,
            (Some("try_lookback"), _) => DeltaSpec::TryLookback,
            (Some(other), _) => return refused("delta_spec", other),
        };
        match members.string("paging_spec")? {
            None | Some("equal_pages_up_to") => {}
            Some(other) => return refused("paging_spec", other),
        }
        // Pcodec's own limit is 2^24 numbers a chunk.
        let paging = members.integer("equal_pages_up_to", 1..=1 << 24)?.unwrap_or(262_144);
        members.finish()?;
        let number = Number::stored(&context.data_type).filter(|&number| number != Number::Bool);
        let number = number.ok_or_else(|| no_numbers(context))?;
        let settings = ChunkConfig::default()
            .with_compression_level(level)
            .with_mode_spec(mode)
            .with_delta_spec(delta)
            .with_paging_spec(PagingSpec::EqualPagesUpTo(paging))
            .with_enable_8_bit(true);
        Ok(Self { number, settings })
    }
}

fn no_numbers(context: &ChunkContext) -> CodecError {
    let reason = format!("it is for integers and floats, the chunk has {}", context.data_type);
    CodecError::configuration(Pcodec::NAME, reason)
}

/// Evaluates the expression with `$element` as the type of the numbers; bools have none.
macro_rules! with_pco {
    ($number:expr, $element:ident => $body:expr) => {
        match $number {
            Number::Int8 => with_pco!(@ i8, $element, $body),
            Number::Int16 => with_pco!(@ i16, $element, $body),
            Number::Int32 => with_pco!(@ i32, $element, $body),
            Number::Int64 => with_pco!(@ i64, $element, $body),
            Number::Bool | Number::UInt8 => with_pco!(@ u8, $element, $body),
            Number::UInt16 => with_pco!(@ u16, $element, $body),
            Number::UInt32 => with_pco!(@ u32, $element, $body),
            Number::UInt64 => with_pco!(@ u64, $element, $body),
            Number::Float16 => with_pco!(@ f16, $element, $body),
            Number::Float32 => with_pco!(@ f32, $element, $body),
            Number::Float64 => with_pco!(@ f64, $element, $body),
        }
    };
    (@ $type:ty, $element:ident, $body:expr) => {{
        type $element = $type;
        $body
    }};
}

impl ArrayBytesCodec for Pcodec {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn encoded_bound(&self, chunk: &ChunkContext) -> Result<u64, CodecError> {
        if Number::stored(&chunk.data_type) != Some(self.number) {
            return Err(no_numbers(chunk));
        }
        let decoded_len = chunk.element_count()? * self.number.size() as u64;
        // What does not compress is stored as it is; 1/16 and 4 KiB leave room for the heads of many chunks.
        Ok(decoded_len.saturating_add(decoded_len / 16).saturating_add(4096))
    }

    fn decode(
        &self,
        encoded: &[u8],
        decoded: &mut [u8],
        _scratch: &mut [u8],
    ) -> Result<(), CodecError> {
        with_pco!(self.number, T => decode::<T>(encoded, decoded))
    }

    fn encode(&self, decoded: &[u8], encoded: &mut Vec<u8>) -> Result<(), CodecError> {
        with_pco!(self.number, T => {
            let numbers: Vec<T> = T::read(decoded).collect();
            let file = simple_compress(&numbers, &self.settings);
            encoded.extend_from_slice(&file.map_err(|error| failed(&error, decoded.len()))?);
        });
        Ok(())
    }
}

/// Decodes a file of numbers to all of `decoded`.
fn decode<T: Element + PcoNumber + Default>(
    encoded: &[u8],
    decoded: &mut [u8],
) -> Result<(), CodecError> {
    let length = encoded.len();
    let failed = |error: PcoError| failed(&error, length);
    let expected = decoded.len();
    let (file, mut rest) = FileDecompressor::new(encoded).map_err(failed)?;
    let mut written = 0;
    let mut block = [T::default(); BLOCK];
    let version = file.format_version().major;
    loop {
        // Before the library sees the chunk: it may take memory for as many numbers as that states.
        let stated = pcodec_memory::numbers(rest).unwrap_or(0) as usize;
        let needed = stated.saturating_mul(size_of::<T>());
        if needed > expected - written {
            let actual = (written as u64).saturating_add(needed as u64);
            return Err(length_error(expected, actual));
        }
        if let Some(excess) = pcodec_memory::excess(rest, 8 * size_of::<T>(), version) {
            return Err(CodecError::corrupt(Pcodec::NAME, excess));
        }
        let mut chunk = match file.chunk_decompressor::<T, _>(rest).map_err(failed)? {
            DecompressorItem::Chunk(chunk) => chunk,
            DecompressorItem::EndOfData(after) => {
                rest = after;
                break;
            }
        };
        let mut left = chunk.n();
        while left > 0 {
            let block = &mut block[..left.min(BLOCK)];
            chunk.read(block).map_err(failed)?;
            let bytes = &mut decoded[written..][..size_of_val(block)];
            T::write(block.iter().copied(), bytes);
            written += bytes.len();
            left -= block.len();
        }
        rest = chunk.into_src();
    }
    if !rest.is_empty() {
        let reason = format!("{} bytes follow the end", rest.len());
        return Err(CodecError::corrupt(Pcodec::NAME, reason));
    }
    if written < expected { Err(length_error(expected, written as u64)) } else { Ok(()) }
}

fn length_error(expected: usize, actual: u64) -> CodecError {
    CodecError::Length { codec: Pcodec::NAME, expected: expected as u64, actual }
}

fn failed(error: &PcoError, length: usize) -> CodecError {
    match error.kind {
        ErrorKind::InsufficientData => {
            let actual = length as u64;
            CodecError::Truncated { codec: Pcodec::NAME, expected: actual + 1, actual }
        }
        _ => CodecError::corrupt(Pcodec::NAME, error.message.clone()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn chunks_of_more_numbers_than_are_wanted_are_refused_by_their_head() {
        let numbers: Vec<u32> = (0..100).collect();
        let file = simple_compress(&numbers, &ChunkConfig::default()).unwrap();
        let (_, chunk) = FileDecompressor::new(file.as_slice()).unwrap();
        let head = file.len() - chunk.len();
        let mut decoded = vec![0; 400];
        decode::<u32>(&file, &mut decoded).unwrap();
        for stated in [100u32, 0xff_ffff] {
            let mut forged = file[..head + 4].to_vec();
            forged[head + 1..].copy_from_slice(&stated.to_le_bytes()[..3]);
            let error = decode::<u32>(&forged, &mut decoded).unwrap_err();
            let actual = 4 * (u64::from(stated) + 1);
            let CodecError::Length { expected: 400, actual: found, .. } = error else {
                panic!("{error}");
            };
            assert_eq!(found, actual);
        }
        let cut = decode::<u32>(&file[..head + 4], &mut decoded);
        assert!(matches!(cut, Err(CodecError::Truncated { .. })), "{cut:?}");
    }
}
