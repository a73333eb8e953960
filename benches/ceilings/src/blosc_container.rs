//! The blosc 1 container: header, block table, split streams.

use crate::Failure;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Shuffle {
    None,
    Bytes,
    Bits,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Compressor {
    Lz4,
    Zstd,
}

pub(crate) struct Container<'a> {
    bytes: &'a [u8],
    pub(crate) decoded: usize,
    block: usize,
    pub(crate) type_size: usize,
    pub(crate) shuffle: Shuffle,
    pub(crate) compressor: Compressor,
    split: bool,
    /// The content is stored as it is after the header.
    stored: bool,
}

fn u32_at(bytes: &[u8], at: usize) -> Result<usize, Failure> {
    let four = bytes.get(at..at + 4).ok_or("a blosc chunk is cut")?;
    Ok(u32::from_le_bytes(four.try_into()?) as usize)
}

impl<'a> Container<'a> {
    /// `None` for one that this program leaves to c-blosc.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Option<Self>, Failure> {
        let header = bytes.get(..16).ok_or("a blosc chunk without a header")?;
        let flags = header[2];
        let compressor = match flags >> 5 {
            1 => Compressor::Lz4,
            4 => Compressor::Zstd,
            _ => return Ok(None),
        };
        let shuffle = match (flags & 1, flags & 4) {
            (0, 0) => Shuffle::None,
            (1, 0) => Shuffle::Bytes,
            (0, 4) => Shuffle::Bits,
            _ => return Ok(None),
        };
        let type_size = usize::from(header[3]);
        if header[0] != 2 || type_size == 0 || (shuffle == Shuffle::Bits && type_size != 2) {
            return Ok(None);
        }
        if u32_at(header, 12)? != bytes.len() {
            return Err("a blosc chunk of another length".into());
        }
        Ok(Some(Self {
            bytes,
            decoded: u32_at(header, 4)?,
            block: u32_at(header, 8)?.max(1),
            type_size,
            shuffle,
            compressor,
            split: flags & 16 == 0,
            stored: flags & 2 != 0,
        }))
    }

    pub(crate) fn stored(&self) -> Option<&'a [u8]> {
        self.stored.then(|| &self.bytes[16..])
    }

    pub(crate) fn blocks(&self) -> usize {
        self.decoded.div_ceil(self.block)
    }

    /// Offset and length of a block in the decoded chunk.
    pub(crate) fn block(&self, number: usize) -> (usize, usize) {
        let start = number * self.block;
        (start, self.block.min(self.decoded - start))
    }

    /// Calls `decode(stream, offset, len)` for each stream of a block; it fills `len` bytes at `offset`.
    pub(crate) fn streams(
        &self,
        number: usize,
        mut decode: impl FnMut(&'a [u8], usize, usize) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let (_, len) = self.block(number);
        let left_over = len < self.block;
        let split = self.split && !left_over && self.type_size <= 16 && len % self.type_size == 0;
        let streams = if split { self.type_size } else { 1 };
        let mut at = u32_at(self.bytes, 16 + 4 * number)?;
        for stream in 0..streams {
            let size = u32_at(self.bytes, at)?;
            let encoded = self.bytes.get(at + 4..).and_then(|rest| rest.get(..size));
            decode(
                encoded.ok_or("a blosc stream is cut")?,
                stream * (len / streams),
                len / streams,
            )?;
            at += 4 + size;
        }
        Ok(())
    }
}
