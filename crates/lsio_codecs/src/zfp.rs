//! `zfp` and `zfpy`: small blocks of numbers, transformed and cut to their leading bits.

use zfp_rs::{
    ZfpBitStream, ZfpBitStreamOps, ZfpBitStreamRef, ZfpConfig, ZfpDecompressionError, ZfpField,
    ZfpFieldMetadata, ZfpFieldMut, ZfpHeaderMask, ZfpScalar, ZfpScalarType,
};

use crate::configuration::Members;
use crate::number::{Element, Number, with_element};
use crate::zfp_mode::{config, numcodecs_config};
use crate::{ArrayBytesCodec, ChunkContext, CodecError};

/// Bytes of the words that a stream consists of: writers end it with a whole one.
const WORD: usize = 8;

/// The two words that a stream with a header has at least: the header has 96 bits or 148.
const LEAST_WITH_HEADER: usize = 2 * WORD;

/// `zfp` and `zfpy`: small blocks of numbers, transformed and cut to their leading bits.
///
/// Chunks of one to four dimensions. Integers of 8 and 16 bits are moved to the upper bits of 32; those without
/// sign of 32 and 64 bits must be below half of their range, larger ones are cut to that.
///
/// - Specification: zfp (codec version 5), numcodecs `zfpy`, Zarr extension "zfp codec".
/// - Names: v3 `zfp` (also `zarrs.zfp`): `{"mode": "reversible"}`, or `"mode"` beside its own members:
///   `"fixed_rate"` `rate`, `"fixed_precision"` `precision`, `"fixed_accuracy"` `tolerance`, `"expert"`
///   `minbits`, `maxbits`, `maxprec`, `minexp`. v2 `zfpy`, v3 `numcodecs.zfpy`: `{"mode": 2..=5, "rate"?,
///   "precision"?, "tolerance"?}`, where each chunk has a header that says what it is; only encoding uses the
///   configuration.
///
/// ```
/// use lsio_array::{DataType, Destination};
/// use lsio_codecs::{ChunkContext, CodecChain, codec_v3};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let context = ChunkContext { data_type: DataType::Float32, shape: vec![8, 8] };
/// let configuration = serde_json::from_str(r#"{"mode": "fixed_accuracy", "tolerance": 0.01}"#)?;
/// let chain = CodecChain::new(vec![codec_v3("zfp", &configuration, &context)?], &context)?;
/// let elements: Vec<f32> = (0..64u8).map(|i| f32::from(i).sqrt()).collect();
/// let bytes: Vec<u8> = elements.iter().flat_map(|x| x.to_ne_bytes()).collect();
/// let mut encoded = Vec::new();
/// chain.encode(&bytes, &mut encoded)?;
/// assert!(encoded.len() < 120);
/// let mut decoded = vec![0; 256];
/// chain.decode(&encoded, Destination::Fixed(&mut decoded), &mut [])?;
/// for (bytes, x) in decoded.as_chunks().0.iter().zip(elements) {
///     assert!((f32::from_ne_bytes(*bytes) - x).abs() <= 0.01);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Zfp {
    number: Number,
    /// The numbers that zfp works on.
    scalar_type: ZfpScalarType,
    /// Elements per dimension, the fastest first; zeros behind them.
    dims: [usize; 4],
    config: ZfpConfig,
    has_header: bool,
}

impl Zfp {
    /// Name of the codec whose streams have no header.
    pub(crate) const NAME: &'static str = "zfp";

    /// Name of the codec whose streams have one.
    pub(crate) const NAME_WITH_HEADER: &'static str = "zfpy";

    /// From the configuration in metadata of Zarr v3.
    pub(crate) fn from_members(
        members: Members<'_>,
        context: &ChunkContext,
    ) -> Result<Self, CodecError> {
        Self::new(members, context, false)
    }

    /// From the configuration of numcodecs: chunks have a header.
    pub(crate) fn with_header_from_members(
        members: Members<'_>,
        context: &ChunkContext,
    ) -> Result<Self, CodecError> {
        Self::new(members, context, true)
    }

    fn new(
        mut members: Members<'_>,
        context: &ChunkContext,
        has_header: bool,
    ) -> Result<Self, CodecError> {
        let codec = if has_header { Self::NAME_WITH_HEADER } else { Self::NAME };
        let number = Number::stored(&context.data_type);
        let scalar = number.and_then(|number| Some((number, scalar_type(number)?)));
        let (number, scalar_type) = scalar.ok_or_else(|| members.no_numbers(context))?;
        let mut dims = [0; 4];
        let axes = context.shape.iter().rev().chain(context.shape.is_empty().then_some(&1));
        let rank = axes.clone().count();
        let dimensionality = u32::try_from(rank).ok().and_then(|n| n.try_into().ok());
        let dimensionality = dimensionality.ok_or_else(|| {
            let reason = format!("it is for at most 4 dimensions, the chunk has {rank}");
            CodecError::configuration(codec, reason)
        })?;
        for (dim, &extent) in dims.iter_mut().zip(axes) {
            *dim = extent as usize;
        }
        let config = if has_header {
            numcodecs_config(&mut members, scalar_type, dimensionality)
        } else {
            config(&mut members, scalar_type, dimensionality)
        }?;
        members.finish()?;
        Ok(Self { number, scalar_type, dims, config, has_header })
    }

    fn corrupt(&self, reason: &impl ToString) -> CodecError {
        CodecError::corrupt(self.name(), reason.to_string())
    }

    /// Decodes to elements as zfp knows them, in `decoded` itself where that begins as they must.
    fn decode_elements<T: ZfpScalar + PartialOrd>(
        &self,
        encoded: &[u8],
        decoded: &mut [u8],
    ) -> Result<(), CodecError> {
        if let Ok(elements) = bytemuck::try_cast_slice_mut::<u8, T>(decoded) {
            return self.decode_stream(encoded, elements);
        }
        let mut elements = vec![T::default(); decoded.len() / size_of::<T>()];
        self.decode_stream(encoded, &mut elements)?;
        decoded.copy_from_slice(bytemuck::cast_slice(&elements));
        Ok(())
    }

    fn decode_stream<T: ZfpScalar + PartialOrd>(
        &self,
        encoded: &[u8],
        elements: &mut [T],
    ) -> Result<(), CodecError> {
        let least = if self.has_header { LEAST_WITH_HEADER } else { WORD };
        let expected = encoded.len().next_multiple_of(WORD).max(least);
        if encoded.len() < expected {
            return Err(self.truncated(expected, encoded));
        }
        let read = if let Some(mut stream) = ZfpBitStreamRef::from_bytes(encoded) {
            self.decode_words(&mut stream, elements)
        } else {
            // Bytes that do not begin where a word may.
            let stream = ZfpBitStream::from_bytes(encoded);
            self.decode_words(&mut stream.map_err(|error| self.corrupt(&error))?, elements)
        }?;
        if read > encoded.len() {
            return Err(self.truncated(read, encoded));
        } else if read < encoded.len() {
            return Err(self.corrupt(&format!("{} bytes follow the end", encoded.len() - read)));
        }
        if !self.number.is_signed() && !self.number.is_float() {
            for element in elements.iter_mut().filter(|element| **element < T::default()) {
                *element = T::default();
            }
        }
        Ok(())
    }

    /// Reads the header, where there is one, then the elements; gives the bytes that were read, which may be more
    /// than there are.
    fn decode_words<T: ZfpScalar>(
        &self,
        stream: &mut impl ZfpBitStreamOps,
        elements: &mut [T],
    ) -> Result<usize, CodecError> {
        let mut config = self.config;
        if self.has_header {
            let header = stream.read_header(ZfpHeaderMask::FULL);
            let header = header.map_err(|error| self.corrupt(&error))?;
            let stated = header.metadata.zip(header.config);
            let (stated, stated_config) =
                stated.ok_or_else(|| self.corrupt(&"it has no header"))?;
            if stated.scalar_type != self.scalar_type || stated.dims != self.dims {
                let (ours, theirs) = (self.scalar_type, stated.scalar_type);
                let reason = format!(
                    "its header states {:?} of type {theirs:?}, the chunk has {:?} of type {ours:?}",
                    stated.dims, self.dims
                );
                return Err(self.corrupt(&reason));
            }
            config = stated_config;
        }
        let field = ZfpFieldMut::new(elements, self.dims);
        let mut field = field.map_err(|error| self.corrupt(&error))?;
        match stream.decompress(&config, &mut field) {
            Ok(read) => Ok(read),
            Err(ZfpDecompressionError::Truncated { required, capacity }) => {
                Ok(required.max(capacity + 1))
            }
            Err(error) => Err(self.corrupt(&error)),
        }
    }

    fn truncated(&self, expected: usize, encoded: &[u8]) -> CodecError {
        let (expected, actual) = (expected as u64, encoded.len() as u64);
        CodecError::Truncated { codec: self.name(), expected, actual }
    }

    fn encode_elements<T: ZfpScalar>(
        &self,
        elements: &[T],
        encoded: &mut Vec<u8>,
    ) -> Result<(), CodecError> {
        let failed =
            |error: &dyn ToString| CodecError::configuration(self.name(), error.to_string());
        let field = ZfpField::new(elements, self.dims).map_err(|error| failed(&error))?;
        let most = self.config.maximum_size(self.scalar_type, self.dims);
        let most = most.ok_or_else(|| failed(&"the chunk is too large"))?;
        let mut stream = ZfpBitStream::new(most).map_err(|error| failed(&error))?;
        if self.has_header {
            let metadata = ZfpFieldMetadata { scalar_type: self.scalar_type, dims: self.dims };
            let written = stream.write_header(&self.config, &metadata, ZfpHeaderMask::FULL);
            written.map_err(|error| failed(&error))?;
        }
        stream.compress(&self.config, &field).map_err(|error| failed(&error))?;
        encoded.extend_from_slice(stream.as_bytes());
        Ok(())
    }

    /// Half of the range of numbers of 8 or 16 bits, what is taken off them so that they have a sign, and by how
    /// many bits zfp has them higher then.
    fn promotion(&self) -> (i32, i32, u32) {
        let bits = self.number.size() as u32 * 8;
        let half = 1 << (bits - 1);
        (half, if self.number.is_signed() { 0 } else { half }, 31 - bits)
    }
}

/// The numbers of zfp that such numbers are stored as.
fn scalar_type(number: Number) -> Option<ZfpScalarType> {
    Some(match number {
        Number::Int8
        | Number::Int16
        | Number::Int32
        | Number::UInt8
        | Number::UInt16
        | Number::UInt32 => ZfpScalarType::I32,
        Number::Int64 | Number::UInt64 => ZfpScalarType::I64,
        Number::Float32 => ZfpScalarType::F32,
        Number::Float64 => ZfpScalarType::F64,
        Number::Bool | Number::Float16 => return None,
    })
}

impl ArrayBytesCodec for Zfp {
    fn name(&self) -> &'static str {
        if self.has_header { Self::NAME_WITH_HEADER } else { Self::NAME }
    }

    fn encoded_bound(&self, chunk: &ChunkContext) -> Result<u64, CodecError> {
        // A header may state another mode than the configuration; none needs more than this one.
        let most = |config: ZfpConfig| config.maximum_size(self.scalar_type, self.dims);
        let most = most(self.config).zip(most(ZfpConfig::reversible()));
        let most = most.map(|(configured, reversible)| configured.max(reversible) as u64);
        most.ok_or_else(|| {
            let reason = format!("a chunk of shape {:?} is not for zfp", chunk.shape);
            CodecError::configuration(self.name(), reason)
        })
    }

    fn decode(
        &self,
        encoded: &[u8],
        decoded: &mut [u8],
        _scratch: &mut [u8],
    ) -> Result<(), CodecError> {
        match self.scalar_type {
            ZfpScalarType::I32 if self.number.size() < 4 => {
                let mut wide = vec![0; decoded.len() / self.number.size()];
                let (half, offset, shift) = self.promotion();
                // What is stored has a sign even where the number has none.
                Self { number: Number::Int32, ..*self }.decode_stream(encoded, &mut wide)?;
                let narrow =
                    wide.iter().map(|wide| (wide >> shift).clamp(-half, half - 1) + offset);
                with_element!(self.number, T => {
                    T::write(narrow.map(|number| T::from_int(number.into())), decoded);
                });
                Ok(())
            }
            ZfpScalarType::I32 => self.decode_elements::<i32>(encoded, decoded),
            ZfpScalarType::I64 => self.decode_elements::<i64>(encoded, decoded),
            ZfpScalarType::F32 => self.decode_elements::<f32>(encoded, decoded),
            ZfpScalarType::F64 => self.decode_elements::<f64>(encoded, decoded),
        }
    }

    fn encode(&self, decoded: &[u8], encoded: &mut Vec<u8>) -> Result<(), CodecError> {
        match self.number {
            Number::UInt32 => {
                let limit = |number: u32| number.min(i32::MAX as u32).cast_signed();
                let elements: Vec<i32> = u32::read(decoded).map(limit).collect();
                self.encode_elements(&elements, encoded)
            }
            Number::UInt64 => {
                let limit = |number: u64| number.min(i64::MAX as u64).cast_signed();
                let elements: Vec<i64> = u64::read(decoded).map(limit).collect();
                self.encode_elements(&elements, encoded)
            }
            number if number.size() < 4 => {
                let (_, offset, shift) = self.promotion();
                // Exact: there are at most 16 bits.
                let elements: Vec<i32> = with_element!(number, T => {
                    T::read(decoded).map(|x| (x.to_float() as i32 - offset) << shift).collect()
                });
                self.encode_elements(&elements, encoded)
            }
            Number::Float32 => {
                self.encode_elements(&bytemuck::pod_collect_to_vec::<u8, f32>(decoded), encoded)
            }
            Number::Float64 => {
                self.encode_elements(&bytemuck::pod_collect_to_vec::<u8, f64>(decoded), encoded)
            }
            Number::Int64 => {
                self.encode_elements(&bytemuck::pod_collect_to_vec::<u8, i64>(decoded), encoded)
            }
            _ => self.encode_elements(&bytemuck::pod_collect_to_vec::<u8, i32>(decoded), encoded),
        }
    }
}
