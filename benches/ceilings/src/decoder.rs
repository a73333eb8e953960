//! One thread's decoder: a context of each codec, and scratch memory for blocks.

use libdeflater::Decompressor;
use zstd_safe::DCtx;

use crate::Failure;
use crate::array::Codec;
use crate::blosc_container::{Compressor, Container, Shuffle};
use crate::placement::{Placement, Stores};
use crate::unshuffle;

pub(crate) struct Decoder {
    pub(crate) codec: Codec,
    c_blosc: bool,
    zstd: DCtx<'static>,
    gzip: Decompressor,
    /// A block of blosc before and after its bits are put together.
    block: Vec<u8>,
    plain: Vec<u8>,
}

impl Decoder {
    pub(crate) fn new(codec: Codec, c_blosc: bool) -> Self {
        let (zstd, gzip) = (DCtx::create(), Decompressor::new());
        Self { codec, c_blosc, zstd, gzip, block: Vec::new(), plain: Vec::new() }
    }

    /// Fills `decoded`, which has the chunk's exact length.
    pub(crate) fn decode(&mut self, encoded: &[u8], decoded: &mut [u8]) -> Result<(), Failure> {
        let expected = decoded.len();
        let len = match self.codec {
            Codec::Raw => {
                let len = encoded.len().min(expected);
                decoded[..len].copy_from_slice(&encoded[..len]);
                encoded.len()
            }
            Codec::Zstd => zstd(&mut self.zstd, encoded, decoded)?,
            Codec::Gzip => self.gzip.gzip_decompress(encoded, decoded)?,
            Codec::Blosc => self.blosc(encoded, decoded)?,
        };
        if len == expected { Ok(()) } else { Err(format!("a chunk decodes to {len} bytes").into()) }
    }

    /// Decodes a blosc chunk block by block and puts each block into its place at once. Says `false`, having
    /// done nothing, for a chunk that is to be decoded as a whole.
    pub(crate) fn decode_blocks_into(
        &mut self,
        encoded: &[u8],
        placement: &Placement,
        stores: Stores,
    ) -> Result<bool, Failure> {
        if self.codec != Codec::Blosc || self.c_blosc {
            return Ok(false);
        }
        let Some(container) = Container::parse(encoded)? else { return Ok(false) };
        if container.stored().is_some() {
            return Ok(false);
        }
        for number in 0..container.blocks() {
            let (start, len) = container.block(number);
            self.block_streams(&container, number)?;
            match container.shuffle {
                Shuffle::None => placement.copy(start, &self.block[..len], stores),
                Shuffle::Bits => {
                    self.plain.resize(len.max(self.plain.len()), 0);
                    unshuffle::bits16(&self.block[..len], &mut self.plain[..len]);
                    placement.copy(start, &self.plain[..len], stores);
                }
                Shuffle::Bytes => {
                    let size = container.type_size;
                    let block = &self.block[..len];
                    placement.rows(start, start + len, |target, at, count| {
                        let (first, count) = ((at - start) / size, count / size);
                        // SAFETY: the row is inside the result, and nobody else writes to it.
                        unsafe { unshuffle::bytes(block, size, first, count, target, stores) };
                    });
                }
            }
        }
        Ok(true)
    }

    fn blosc(&mut self, encoded: &[u8], decoded: &mut [u8]) -> Result<usize, Failure> {
        let container = if self.c_blosc { None } else { Container::parse(encoded)? };
        let Some(container) = container else { return c_blosc(encoded, decoded) };
        if container.decoded != decoded.len() {
            return Ok(container.decoded);
        }
        if let Some(stored) = container.stored() {
            decoded.copy_from_slice(stored);
            return Ok(stored.len());
        }
        for number in 0..container.blocks() {
            let (start, len) = container.block(number);
            let part = &mut decoded[start..start + len];
            self.block_streams(&container, number)?;
            let block = &self.block[..len];
            match container.shuffle {
                Shuffle::None => part.copy_from_slice(block),
                Shuffle::Bits => unshuffle::bits16(block, part),
                Shuffle::Bytes => {
                    let size = container.type_size;
                    // SAFETY: `part` has the block's length.
                    unsafe {
                        let target = part.as_mut_ptr();
                        unshuffle::bytes(block, size, 0, len / size, target, Stores::Cached);
                    }
                }
            }
        }
        Ok(container.decoded)
    }

    fn block_streams(&mut self, container: &Container<'_>, number: usize) -> Result<(), Failure> {
        let (_, len) = container.block(number);
        if self.block.len() < len {
            self.block.resize(len, 0);
        }
        let (context, block) = (&mut self.zstd, &mut self.block);
        container.streams(number, |stream, offset, len| {
            let part = &mut block[offset..offset + len];
            if stream.len() == len {
                part.copy_from_slice(stream);
                return Ok(());
            }
            let decoded = match container.compressor {
                Compressor::Zstd => zstd(context, stream, part)?,
                Compressor::Lz4 => lz4(stream, part)?,
            };
            if decoded == len { Ok(()) } else { Err("a blosc stream of another length".into()) }
        })
    }
}

fn zstd(context: &mut DCtx<'_>, encoded: &[u8], decoded: &mut [u8]) -> Result<usize, Failure> {
    context.decompress(decoded, encoded).map_err(|code| zstd_safe::get_error_name(code).into())
}

fn lz4(encoded: &[u8], decoded: &mut [u8]) -> Result<usize, Failure> {
    let (from, into) = (i32::try_from(encoded.len())?, i32::try_from(decoded.len())?);
    // SAFETY: the lengths are those of the slices; LZ4 stays within them.
    let len = unsafe {
        lz4_sys::LZ4_decompress_safe(
            encoded.as_ptr().cast(),
            decoded.as_mut_ptr().cast(),
            from,
            into,
        )
    };
    usize::try_from(len).map_err(|_| "an LZ4 stream is broken".into())
}

fn c_blosc(encoded: &[u8], decoded: &mut [u8]) -> Result<usize, Failure> {
    let source = encoded.as_ptr().cast();
    let mut len = 0;
    // SAFETY: the lengths are those of the slices; the container is validated before it is decoded.
    let code = unsafe {
        if blosc_src::blosc_cbuffer_validate(source, encoded.len(), &raw mut len) != 0 {
            return Err("not a blosc container".into());
        }
        blosc_src::blosc_decompress_ctx(source, decoded.as_mut_ptr().cast(), decoded.len(), 1)
    };
    usize::try_from(code).map_err(|_| format!("c-blosc: {code}").into())
}
