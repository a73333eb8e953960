//! Blosc containers whose blocks are compressed by snappy, written without c-blosc, which would need the
//! C++ library for them.

use snap::raw::{Encoder, max_compress_len};

use crate::CodecError;
use crate::blosc_container::{
    BIT_SHUFFLED, BYTE_SHUFFLED, COMPRESSOR_SHIFT, HEADER_LEN, NAME, ONE_STREAM, STORED, VERSION,
};
use crate::shuffle::Shuffle;

/// Number of snappy among the compressors of the container.
const SNAPPY: u8 = 2;

/// The one version of snappy's format.
const FORMAT_VERSION: u8 = 1;

/// Block size where none is asked for: what c-blosc takes for mid levels of its fast compressors.
const DEFAULT_BLOCK_LEN: usize = 256 * 1024;

/// Smallest block size, as in c-blosc.
const LEAST_BLOCK_LEN: usize = 128;

/// Appends the container of `decoded`, whose length fits the header, to `encoded`: one stream per
/// block, or all of it stored where that is not longer. `typesize` is 1 to 255, `block_len` 0 for the
/// default.
pub(crate) fn compress(
    store: bool,
    shuffle: Shuffle,
    typesize: usize,
    block_len: usize,
    decoded: &[u8],
    encoded: &mut Vec<u8>,
) -> Result<(), CodecError> {
    let start = encoded.len();
    let block_len = match block_len {
        0 => DEFAULT_BLOCK_LEN,
        asked => asked.max(LEAST_BLOCK_LEN),
    };
    let block_len = block_len.min(decoded.len()).max(1);
    // As c-blosc: whole elements, unless a block is smaller than one.
    let block_len = if block_len > typesize { block_len / typesize * typesize } else { block_len };
    let flags = ONE_STREAM
        | SNAPPY << COMPRESSOR_SHIFT
        | match shuffle {
            Shuffle::None => 0,
            Shuffle::Byte => BYTE_SHUFFLED,
            Shuffle::Bit => BIT_SHUFFLED,
        };
    encoded.extend_from_slice(&[VERSION, FORMAT_VERSION, flags, typesize as u8]);
    for length in [decoded.len(), block_len, 0] {
        encoded.extend_from_slice(&(length as u32).to_le_bytes());
    }
    if !store {
        let blocks = decoded.chunks(block_len);
        let first_offset = encoded.len();
        encoded.resize(first_offset + blocks.len() * 4, 0);
        let mut shuffled = vec![0; block_len];
        let mut encoder = Encoder::new();
        for (index, block) in blocks.enumerate() {
            let offset = (encoded.len() - start) as u32;
            let place = first_offset + index * 4;
            encoded[place..place + 4].copy_from_slice(&offset.to_le_bytes());
            let shuffled = &mut shuffled[..block.len()];
            shuffle.shuffle(typesize, block, shuffled);
            compress_block(&mut encoder, shuffled, encoded)?;
        }
    }
    if store || encoded.len() - start >= HEADER_LEN + decoded.len() {
        encoded.truncate(start + HEADER_LEN);
        encoded[start + 2] |= STORED;
        encoded.extend_from_slice(decoded);
    }
    let length = (encoded.len() - start) as u32;
    encoded[start + 12..start + HEADER_LEN].copy_from_slice(&length.to_le_bytes());
    Ok(())
}

/// Appends the one stream of a block behind its length; stored where that is not longer.
fn compress_block(
    encoder: &mut Encoder,
    block: &[u8],
    encoded: &mut Vec<u8>,
) -> Result<(), CodecError> {
    let start = encoded.len();
    let from = start + 4;
    encoded.resize(from + max_compress_len(block.len()), 0);
    let mut length = encoder
        .compress(block, &mut encoded[from..])
        .map_err(|error| CodecError::corrupt(NAME, error.to_string()))?;
    if length >= block.len() {
        length = block.len();
        encoded.resize(from + length, 0);
        encoded[from..from + length].copy_from_slice(block);
    }
    encoded.truncate(from + length);
    encoded[start..from].copy_from_slice(&(length as u32).to_le_bytes());
    Ok(())
}
