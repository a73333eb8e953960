//! What a decoding thread owns: its decoder and its buffers, re-used from chunk to chunk and round to round.

use crate::Failure;
use crate::arguments::Arguments;
use crate::array::{Array, Codec};
use crate::decoder::Decoder;
use crate::files::{Files, Unit, read_at};
use crate::huge_pages::HugePages;
use crate::placement::{Placement, Stores, end_of_streaming};
use crate::shared_bytes::SharedBytes;

/// Choices that were measured against each other; the faster one is the default.
#[derive(Clone, Copy)]
pub(crate) struct Choices {
    pub(crate) stores: Stores,
    /// Blosc blocks go to their place one by one, without a decoded chunk in between.
    pub(crate) block_wise: bool,
    pub(crate) c_blosc: bool,
}

impl Choices {
    pub(crate) fn of(arguments: &Arguments) -> Result<Self, Failure> {
        let stores = match arguments.option("stores", "streaming".to_owned())?.as_str() {
            "streaming" => Stores::Streaming,
            "cached" => Stores::Cached,
            other => return Err(format!("stores={other}: streaming or cached").into()),
        };
        Ok(Self {
            stores,
            block_wise: arguments.option("block-wise", false)?,
            c_blosc: arguments.option("c-blosc", false)?,
        })
    }
}

pub(crate) struct Worker {
    pub(crate) decoder: Decoder,
    pub(crate) encoded: HugePages,
    pub(crate) decoded: HugePages,
    pub(crate) choices: Choices,
}

impl Worker {
    pub(crate) fn several(
        count: usize,
        array: &Array,
        choices: Choices,
    ) -> Result<Vec<Self>, Failure> {
        let bound = Files::new(array, false).unit_bound();
        let one = |_| {
            Ok(Self {
                decoder: Decoder::new(array.codec, choices.c_blosc),
                encoded: HugePages::new(bound)?,
                decoded: HugePages::new(array.chunk_bytes())?,
                choices,
            })
        };
        (0..count).map(one).collect()
    }

    /// Reads a unit into the worker's buffer and calls `take(worker's other parts, inner, encoded)`.
    pub(crate) fn read(
        &mut self,
        unit: &Unit<'_>,
        mut take: impl FnMut(&mut Place<'_>, usize, &[u8]) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let Self { decoder, encoded, decoded, choices } = self;
        let buffer = &mut encoded.bytes_mut()[..unit.len];
        let len = read_at(unit.file(), buffer, unit.offset)?;
        let mut place = Place { decoder, decoded: decoded.bytes_mut(), choices: *choices };
        unit.chunks(&buffer[..len], |inner, encoded| take(&mut place, inner, encoded))
    }

    pub(crate) fn place(&mut self) -> Place<'_> {
        Place {
            decoder: &mut self.decoder,
            decoded: self.decoded.bytes_mut(),
            choices: self.choices,
        }
    }
}

/// The decoding half of a worker.
pub(crate) struct Place<'a> {
    pub(crate) decoder: &'a mut Decoder,
    pub(crate) decoded: &'a mut [u8],
    choices: Choices,
}

impl Place<'_> {
    /// Decodes a chunk into the worker's buffer; one that is stored as it is needs none.
    pub(crate) fn decode<'b>(&'b mut self, encoded: &'b [u8]) -> Result<&'b [u8], Failure> {
        if self.decoder.codec == Codec::Raw && encoded.len() == self.decoded.len() {
            return Ok(encoded);
        }
        self.decoder.decode(encoded, self.decoded)?;
        Ok(self.decoded)
    }

    /// Decodes a chunk and puts it into the result.
    pub(crate) fn decode_into(
        &mut self,
        array: &Array,
        file: usize,
        inner: usize,
        encoded: &[u8],
        result: SharedBytes,
    ) -> Result<(), Failure> {
        let origin = array.origin(file, inner).ok_or("a chunk outside of the array")?;
        let placement = Placement::new(array, origin, result);
        let stores = self.choices.stores;
        if array.codec == Codec::Raw {
            if encoded.len() != array.chunk_bytes() {
                return Err("a raw chunk of another length".into());
            }
            placement.copy(0, encoded, stores);
        } else if !(self.choices.block_wise
            && self.decoder.decode_blocks_into(encoded, &placement, stores)?)
        {
            self.decoder.decode(encoded, self.decoded)?;
            placement.copy(0, self.decoded, stores);
        }
        if stores == Stores::Streaming {
            end_of_streaming();
        }
        Ok(())
    }
}
