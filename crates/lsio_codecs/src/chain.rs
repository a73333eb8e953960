//! The codecs of an array in their order, and how they run on one chunk.

use std::borrow::Cow;
use std::sync::Arc;

use lsio_array::{DataType, Decoded, Destination, VariableChunk};

use crate::array_codec::ArraySteps;
use crate::growing::{Growth, decode_growing};
use crate::suspending::Stages;
use crate::transpose::{MovedAxes, stored_order};
use crate::{
    Bytes, BytesCodec, ChunkContext, Codec, CodecError, PieceCodec, Serializer, VariableCodec,
};

/// Bytes assumed for one element of varying length when the worst case is asked for, beside its length.
const ELEMENT_GUESS: u64 = 64;

/// The codecs of an array: any number that reorder axes or make other elements, one that makes bytes of
/// elements, any number that make other bytes of bytes.
///
/// Transposes before all other codecs are left to who reads the elements ([`CodecChain::axis_order`]).
#[derive(Debug, Clone)]
pub struct CodecChain {
    names: Vec<&'static str>,
    data_type: DataType,
    shape: Vec<u64>,
    axis_order: Vec<usize>,
    element_count: u64,
    array_steps: ArraySteps,
    /// Type of the elements after `array_steps`.
    stored_type: DataType,
    serializer: Serializer,
    /// In the order of encoding.
    bytes_codecs: Vec<Arc<dyn BytesCodec>>,
    /// Worst length before `bytes_codecs[i]` encodes, and after the last one.
    bounds: Vec<u64>,
    /// From the first codec on that answers later.
    pub(crate) stages: Stages,
}

impl CodecChain {
    /// Checks that `codecs`, in the order of encoding, fit each other and the chunk.
    ///
    /// # Errors
    /// [`CodecError::Configuration`] where they do not, [`CodecError::TooLarge`] for a chunk that
    /// memory cannot hold.
    pub fn new(codecs: Vec<Codec>, context: &ChunkContext) -> Result<Self, CodecError> {
        let names = codecs.iter().map(Codec::name).collect();
        let element_count = context.element_count()?;
        let mut axis_order: Vec<usize> = (0..context.shape.len()).collect();
        let mut array_steps = ArraySteps::default();
        let mut stored = context.clone();
        let mut serializer = None;
        let mut bytes_codecs = Vec::new();
        let mut later = Vec::new();
        for codec in codecs {
            let name = codec.name();
            let misplaced = |reason: &str| Err(CodecError::configuration(name, reason));
            match (codec, &serializer) {
                (Codec::Transpose(transpose), None) if array_steps.is_empty() => {
                    stored = transpose.encoded_context(&stored)?;
                    axis_order = transpose.order().iter().map(|&axis| axis_order[axis]).collect();
                }
                (Codec::Transpose(transpose), None) => {
                    let moved = Arc::new(MovedAxes::new(transpose, &stored)?);
                    stored = array_steps.push(moved, &stored)?;
                }
                (Codec::ArrayToArray(codec), None) => stored = array_steps.push(codec, &stored)?,
                (Codec::ArrayToBytes(found), None) => serializer = Some(found),
                (Codec::BytesToBytes(codec), Some(_)) if later.is_empty() => {
                    bytes_codecs.push(codec);
                }
                (codec @ (Codec::BytesToBytes(_) | Codec::Suspending(_)), Some(_)) => {
                    later.push(codec);
                }
                (Codec::Transpose(_) | Codec::ArrayToArray(_), Some(_)) => {
                    return misplaced(
                        "it works on elements, but stands behind one that makes bytes",
                    );
                }
                (Codec::ArrayToBytes(_), Some(_)) => {
                    return misplaced("there is already a codec that makes bytes of elements");
                }
                (Codec::BytesToBytes(_) | Codec::Suspending(_), None) => {
                    return misplaced("no codec that makes bytes of elements stands before it");
                }
            }
        }
        let serializer = serializer.ok_or_else(|| {
            CodecError::configuration(Bytes::NAME, "there is no codec that makes bytes of elements")
        })?;
        let serialized_len = serialized_bound(&serializer, &stored)?;
        let mut bounds = vec![serialized_len];
        bounds.extend(bytes_codecs.iter().scan(serialized_len, |bound, codec| {
            *bound = codec.encoded_bound(*bound);
            Some(*bound)
        }));
        let is_plain = matches!(serializer, Serializer::Bytes(_));
        let stages = Stages::new(later, &bounds, context.data_type.size().is_some(), is_plain);
        Ok(Self {
            names,
            data_type: context.data_type.clone(),
            shape: context.shape.clone(),
            axis_order,
            element_count,
            array_steps,
            stored_type: stored.data_type,
            serializer,
            bytes_codecs,
            bounds,
            stages,
        })
    }

    /// Order of the axes in a decoded chunk, slowest first: decoding undoes no transpose.
    #[must_use]
    pub fn axis_order(&self) -> &[usize] {
        &self.axis_order
    }

    /// Bytes of a decoded chunk; `None` for elements of varying length.
    #[must_use]
    pub fn decoded_len(&self) -> Option<u64> {
        // Cannot overflow: the element count was checked against the element size.
        self.data_type.size().map(|size| self.element_count * size as u64)
    }

    /// Most bytes of an encoded chunk; for elements of varying length a generous guess.
    #[must_use]
    pub fn encoded_bound(&self) -> u64 {
        self.stages.bound().or(self.bounds.last().copied()).unwrap_or(0)
    }

    /// Bytes of scratch memory that [`CodecChain::decode`] needs: none unless a codec decodes to what
    /// is not yet the chunk.
    #[must_use]
    pub fn scratch_len(&self) -> u64 {
        if self.data_type.size().is_none() {
            return 0;
        }
        // The first codec decodes straight to elements, if its bytes are those of elements.
        let (first, own) = match &self.serializer {
            Serializer::Coded(codec) => (0, codec.scratch_len()),
            Serializer::Bytes(_) | Serializer::Variable(_) => (1, 0),
        };
        self.bytes_codecs
            .iter()
            .zip(&self.bounds)
            .skip(first)
            .filter(|(codec, _)| !codec.is_payload())
            .fold(self.array_steps.scratch_len(), |sum, (_, &bound)| sum.saturating_add(bound))
            .saturating_add(own)
    }

    /// The codec, if the encoded form of a chunk is its decoded form, byte by byte, whatever the bytes
    /// are.
    #[must_use]
    pub fn identity(&self) -> Option<&'static str> {
        let is_identity = self.bytes_codecs.is_empty() && self.stages.bound().is_none();
        (is_identity && self.are_elements()).then_some(Bytes::NAME)
    }

    /// Whether serialized bytes are the elements, whatever the bytes are.
    fn are_elements(&self) -> bool {
        self.data_type != DataType::Bool
            && self.array_steps.decode_to_themselves()
            && matches!(self.serializer, Serializer::Bytes(bytes) if bytes.is_identity(&self.stored_type))
    }

    /// Whether a chunk can be decoded to [`Destination::Pieces`].
    #[must_use]
    pub fn comes_in_pieces(&self) -> bool {
        self.piece_codec().is_some()
    }

    /// The codec whose pieces are those of the chunk: all after it add something only, and its bytes are
    /// the elements, whatever they are.
    fn piece_codec(&self) -> Option<&dyn PieceCodec> {
        let (first, later) = self.bytes_codecs.split_first()?;
        let is_last = later.iter().all(|codec| codec.is_payload()) && self.stages.bound().is_none();
        first.in_pieces().filter(|_| is_last && self.are_elements())
    }

    /// The codec that makes bytes of elements, if it is `bytes`.
    #[must_use]
    pub fn bytes(&self) -> Option<Bytes> {
        match self.serializer {
            Serializer::Bytes(bytes) => Some(bytes),
            Serializer::Variable(_) | Serializer::Coded(_) => None,
        }
    }

    /// Names of the codecs in the order of encoding.
    #[must_use]
    pub fn names(&self) -> Vec<&'static str> {
        self.names.clone()
    }

    /// Decodes one chunk, in [`CodecChain::axis_order`] and native byte order. `scratch` has at least
    /// [`CodecChain::scratch_len`] bytes of arbitrary content. [`Decoded::Outgrown`] is answered only
    /// for a variable destination with too small a limit.
    ///
    /// # Errors
    /// Any [`CodecError`] for bytes that are not exactly an encoded chunk of this shape; the
    /// destination then has arbitrary content.
    pub fn decode(
        &self,
        encoded: &[u8],
        destination: Destination<'_>,
        scratch: &mut [u8],
    ) -> Result<Decoded, CodecError> {
        match self.suspends_for() {
            None => self.decode_here(encoded, destination, scratch),
            Some(codec) => Err(CodecError::configuration(codec, "it cannot answer at once")),
        }
    }

    /// Undoes all codecs but those that answer later and those behind them.
    pub(crate) fn decode_here(
        &self,
        encoded: &[u8],
        destination: Destination<'_>,
        scratch: &mut [u8],
    ) -> Result<Decoded, CodecError> {
        match (destination, &self.serializer) {
            (Destination::Fixed(elements), Serializer::Bytes(_) | Serializer::Coded(_)) => {
                let expected = self.decoded_len().unwrap_or(0);
                if elements.len() as u64 != expected {
                    let actual = elements.len() as u64;
                    return Err(CodecError::Length { codec: Bytes::NAME, expected, actual });
                }
                if self.array_steps.decode_to_themselves() {
                    self.decode_stored(encoded, elements, scratch)?;
                } else {
                    self.decode_steps(encoded, elements, scratch)?;
                }
                if self.data_type == DataType::Bool && self.stored_type != DataType::Bool {
                    Bytes::check_bools(elements)?;
                }
                Ok(Decoded::Complete)
            }
            (Destination::Variable(chunk), Serializer::Variable(codec)) => {
                self.decode_variable(codec.as_ref(), encoded, chunk)
            }
            (Destination::Pieces(take), Serializer::Bytes(_) | Serializer::Coded(_)) => {
                self.decode_pieces(encoded, take)?;
                Ok(Decoded::Complete)
            }
            (Destination::Variable(_), Serializer::Bytes(_) | Serializer::Coded(_)) => {
                Err(CodecError::configuration(Bytes::NAME, "its elements do not vary in length"))
            }
            (Destination::Fixed(_) | Destination::Pieces(_), Serializer::Variable(codec)) => {
                Err(CodecError::configuration(codec.name(), "its elements vary in length"))
            }
        }
    }

    /// Makes the stored elements in `scratch`, then undoes the array-to-array codecs.
    fn decode_steps(
        &self,
        encoded: &[u8],
        elements: &mut [u8],
        scratch: &mut [u8],
    ) -> Result<(), CodecError> {
        let (needed, limit) = (self.array_steps.stored_len(), scratch.len() as u64);
        let (stored, scratch) = scratch
            .split_at_mut_checked(needed as usize)
            .ok_or(CodecError::TooLarge { codec: Bytes::NAME, needed, limit })?;
        self.decode_stored(encoded, stored, scratch)?;
        self.array_steps.decode(stored, scratch, elements)
    }

    /// Makes all of the stored elements.
    fn decode_stored(
        &self,
        encoded: &[u8],
        stored: &mut [u8],
        scratch: &mut [u8],
    ) -> Result<(), CodecError> {
        match &self.serializer {
            Serializer::Bytes(bytes) => {
                self.decode_fixed(encoded, stored, scratch)?;
                bytes.decode_in_place(&self.stored_type, stored)
            }
            Serializer::Coded(codec) => {
                let (needed, limit) = (codec.scratch_len(), scratch.len() as u64);
                let (own, scratch) = scratch
                    .split_at_mut_checked(needed as usize)
                    .ok_or(CodecError::TooLarge { codec: codec.name(), needed, limit })?;
                codec.decode(self.decode_bytes(0, encoded, scratch)?, stored, own)
            }
            Serializer::Variable(codec) => {
                Err(CodecError::configuration(codec.name(), "its elements vary in length"))
            }
        }
    }

    /// Undoes the bytes-to-bytes codecs, the last step straight into `elements`.
    fn decode_fixed(
        &self,
        encoded: &[u8],
        elements: &mut [u8],
        scratch: &mut [u8],
    ) -> Result<(), CodecError> {
        if let Some(first) = self.bytes_codecs.first().filter(|codec| !codec.is_payload()) {
            return first.decode_exact(self.decode_bytes(1, encoded, scratch)?, elements);
        }
        let bytes = self.decode_bytes(0, encoded, scratch)?;
        let (expected, actual) = (elements.len() as u64, bytes.len() as u64);
        let codec = Bytes::NAME;
        if actual < expected {
            return Err(CodecError::Truncated { codec, expected, actual });
        } else if actual > expected {
            return Err(CodecError::Length { codec, expected, actual });
        }
        elements.copy_from_slice(bytes);
        Ok(())
    }

    /// Undoes the bytes-to-bytes codecs from the last to the one with this index, into `scratch`.
    fn decode_bytes<'a>(
        &self,
        first: usize,
        encoded: &'a [u8],
        mut scratch: &'a mut [u8],
    ) -> Result<&'a [u8], CodecError> {
        let mut current = encoded;
        for (codec, &needed) in self.bytes_codecs.iter().zip(&self.bounds).skip(first).rev() {
            if let Some(payload) = codec.payload(current)? {
                current = payload;
                continue;
            }
            let limit = scratch.len() as u64;
            let (decoded, rest) = scratch
                .split_at_mut_checked(needed as usize)
                .ok_or(CodecError::TooLarge { codec: codec.name(), needed, limit })?;
            scratch = rest;
            let length = codec.decode(current, decoded)?;
            current = &decoded[..length];
        }
        Ok(current)
    }

    /// Undoes the bytes-to-bytes codecs, the last step piece by piece.
    fn decode_pieces(&self, encoded: &[u8], take: &mut dyn FnMut(&[u8])) -> Result<(), CodecError> {
        let unknown =
            || CodecError::configuration(Bytes::NAME, "its elements do not come in pieces");
        let codec = self.piece_codec().ok_or_else(unknown)?;
        let mut current = encoded;
        for later in self.bytes_codecs[1..].iter().rev() {
            current = later.payload(current)?.ok_or_else(unknown)?;
        }
        codec.decode_pieces(current, self.decoded_len().unwrap_or(0), take)
    }

    /// Undoes the bytes-to-bytes codecs into `chunk.bytes`, then takes the elements out of them.
    fn decode_variable(
        &self,
        codec: &dyn VariableCodec,
        encoded: &[u8],
        chunk: &mut VariableChunk,
    ) -> Result<Decoded, CodecError> {
        let offsets_len = self.element_count.saturating_add(1).saturating_mul(8);
        let least = offsets_len.saturating_add(codec.least_encoded_len(self.element_count));
        if least > chunk.limit {
            return Ok(Decoded::Outgrown { needed: least });
        }
        let limit = chunk.limit - offsets_len;
        match decode_growing(&self.bytes_codecs, encoded, limit, &mut chunk.bytes)? {
            Growth::Complete => {
                let bytes = (chunk.bytes.len() as u64).saturating_mul(codec.memory_per_byte());
                let needed = bytes.saturating_add(offsets_len);
                if needed > chunk.limit {
                    return Ok(Decoded::Outgrown { needed });
                }
                codec.decode_in_place(self.element_count, chunk)?;
                Ok(Decoded::Complete)
            }
            Growth::Needs(bytes) => {
                Ok(Decoded::Outgrown { needed: bytes.saturating_add(offsets_len) })
            }
        }
    }

    /// Appends the encoded form of one chunk of elements of fixed size, given in C order and native
    /// byte order, to `out`.
    ///
    /// # Errors
    /// [`CodecError::Length`] for another number of bytes than the chunk has,
    /// [`CodecError::TooLarge`] for more than a codec's format can hold.
    pub fn encode(&self, decoded_c_order: &[u8], out: &mut Vec<u8>) -> Result<(), CodecError> {
        let (Some(size), Some(expected)) = (self.data_type.size(), self.decoded_len()) else {
            let name = Codec::ArrayToBytes(self.serializer.clone()).name();
            return Err(CodecError::configuration(name, "its elements vary in length"));
        };
        let actual = decoded_c_order.len() as u64;
        if actual != expected {
            return Err(CodecError::Length { codec: Bytes::NAME, expected, actual });
        }
        let mut elements = Cow::Borrowed(decoded_c_order);
        if !self.is_c_order() {
            let mut stored = Vec::with_capacity(elements.len());
            for index in stored_order(&self.shape, &self.axis_order) {
                stored.extend_from_slice(&elements[index * size..(index + 1) * size]);
            }
            elements = Cow::Owned(stored);
        }
        elements = self.array_steps.encode(elements)?;
        match &self.serializer {
            Serializer::Bytes(bytes) if bytes.swaps(&self.stored_type) => {
                bytes.encode_in_place(&self.stored_type, elements.to_mut());
            }
            Serializer::Bytes(_) | Serializer::Variable(_) => {}
            Serializer::Coded(codec) => {
                let mut serialized = Vec::new();
                codec.encode(&elements, &mut serialized)?;
                elements = Cow::Owned(serialized);
            }
        }
        self.encode_bytes(elements, out)
    }

    /// Appends the encoded form of one chunk of elements of varying length, given in C order, to `out`.
    ///
    /// # Errors
    /// [`CodecError::Length`] for another number of elements than the chunk has,
    /// [`CodecError::TooLarge`] for more than a codec's format can hold.
    pub fn encode_variable<T: AsRef<[u8]>>(
        &self,
        elements: &[T],
        out: &mut Vec<u8>,
    ) -> Result<(), CodecError> {
        let Serializer::Variable(codec) = &self.serializer else {
            return Err(CodecError::configuration(
                Bytes::NAME,
                "its elements do not vary in length",
            ));
        };
        let (expected, actual) = (self.element_count, elements.len() as u64);
        if actual != expected {
            return Err(CodecError::Length { codec: codec.name(), expected, actual });
        }
        let stored: Vec<&[u8]> = stored_order(&self.shape, &self.axis_order)
            .map(|index| elements[index].as_ref())
            .collect();
        let mut serialized = Vec::new();
        codec.encode(&stored, &mut serialized)?;
        self.encode_bytes(Cow::Owned(serialized), out)
    }

    /// Runs the bytes-to-bytes codecs; the last one appends to `out`.
    fn encode_bytes(&self, serialized: Cow<'_, [u8]>, out: &mut Vec<u8>) -> Result<(), CodecError> {
        if let Some(codec) = self.suspends_for() {
            return Err(CodecError::configuration(codec, "it can only be decoded"));
        }
        let Some((last, earlier)) = self.bytes_codecs.split_last() else {
            out.extend_from_slice(&serialized);
            return Ok(());
        };
        let mut current = serialized;
        for codec in earlier {
            let mut encoded = Vec::new();
            codec.encode(&current, &mut encoded)?;
            current = Cow::Owned(encoded);
        }
        last.encode(&current, out)
    }

    fn is_c_order(&self) -> bool {
        self.axis_order.is_sorted()
    }
}

/// Most bytes that the elements of a chunk are made to, before any bytes-to-bytes codec.
fn serialized_bound(serializer: &Serializer, chunk: &ChunkContext) -> Result<u64, CodecError> {
    let count = chunk.element_count()?;
    match (serializer, chunk.data_type.size()) {
        (Serializer::Bytes(_), Some(size)) => Ok(count * size as u64),
        (Serializer::Coded(codec), Some(_)) => codec.encoded_bound(chunk),
        (Serializer::Variable(codec), None) if codec.is_for(&chunk.data_type) => {
            Ok(codec.least_encoded_len(count).saturating_add(count.saturating_mul(ELEMENT_GUESS)))
        }
        (Serializer::Bytes(_) | Serializer::Coded(_), None) | (Serializer::Variable(_), _) => {
            let name = Codec::ArrayToBytes(serializer.clone()).name();
            let reason = format!("it cannot make bytes of elements of type {}", chunk.data_type);
            Err(CodecError::configuration(name, reason))
        }
    }
}
