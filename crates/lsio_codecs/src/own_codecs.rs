//! Codecs of users: found by their names where no built-in codec has them.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use crate::registry::is_built_in;
use crate::{ChunkContext, Codec, CodecError, Configuration};

/// Makes a codec of its configuration, for such chunks as stand before it.
pub type MakeCodec =
    dyn Fn(&Configuration, &ChunkContext) -> Result<Codec, CodecError> + Send + Sync;

static OWN_CODECS: RwLock<OwnCodecs> =
    RwLock::new(OwnCodecs { by_name: BTreeMap::new(), registrations: 0 });

struct OwnCodecs {
    by_name: BTreeMap<String, Arc<MakeCodec>>,
    registrations: u64,
}

/// Names that are no codecs of this crate and nobody may take: formats read the first themselves, the others are
/// refused wherever they stand, since they run code that is in the data.
const RESERVED: [&str; 3] = ["sharding_indexed", "pickle", "numcodecs.pickle"];

/// Registers a codec under the name that metadata calls it by, as name in Zarr v3 and as `id` in v2, for every
/// engine of the process and all arrays that are opened from now on. A name that is registered already gets
/// the new codec. In v2 the configuration has the member `id` too.
///
/// # Errors
/// [`CodecError::NameTaken`] for the name of a codec that is built in, and for one that is always refused.
///
/// ```
/// use std::sync::Arc;
///
/// use lsio_array::DataType;
/// use lsio_codecs::{BytesCodec, ChunkContext, Codec, CodecError, codec_v3, register_codec};
///
/// /// Adds a number to each byte.
/// #[derive(Debug)]
/// struct Caesar(u8);
///
/// impl BytesCodec for Caesar {
///     fn name(&self) -> &'static str {
///         "example.caesar"
///     }
///
///     fn encoded_bound(&self, decoded_len: u64) -> u64 {
///         decoded_len
///     }
///
///     fn decode(&self, encoded: &[u8], decoded: &mut [u8]) -> Result<usize, CodecError> {
///         let (needed, limit) = (encoded.len() as u64, decoded.len() as u64);
///         let decoded = decoded.get_mut(..encoded.len()).ok_or(CodecError::TooLarge {
///             codec: self.name(),
///             needed,
///             limit,
///         })?;
///         for (to, from) in decoded.iter_mut().zip(encoded) {
///             *to = from.wrapping_sub(self.0);
///         }
///         Ok(encoded.len())
///     }
///
///     fn encode(&self, decoded: &[u8], encoded: &mut Vec<u8>) -> Result<(), CodecError> {
///         encoded.extend(decoded.iter().map(|byte| byte.wrapping_add(self.0)));
///         Ok(())
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// register_codec("example.caesar", |configuration, _| {
///     let shift = configuration.get("shift").and_then(|shift| shift.as_u64()).unwrap_or(3);
///     Ok(Codec::BytesToBytes(Arc::new(Caesar(shift as u8))))
/// })?;
///
/// let context = ChunkContext { data_type: DataType::UInt8, shape: vec![3] };
/// let configuration = serde_json::from_str(r#"{"shift": 1}"#)?;
/// let Codec::BytesToBytes(codec) = codec_v3("example.caesar", &configuration, &context)? else {
///     return Err("it makes bytes of bytes".into());
/// };
/// let mut decoded = [0; 3];
/// codec.decode_exact(b"MTJ", &mut decoded)?;
/// assert_eq!(&decoded, b"LSI");
/// assert!(register_codec("zstd", |_, _| unreachable!()).is_err());
/// # Ok(())
/// # }
/// ```
pub fn register_codec(
    name: &str,
    make: impl Fn(&Configuration, &ChunkContext) -> Result<Codec, CodecError> + Send + Sync + 'static,
) -> Result<(), CodecError> {
    if RESERVED.contains(&name) || is_built_in(name) {
        return Err(CodecError::NameTaken { name: name.to_owned() });
    }
    let mut codecs = OWN_CODECS.write().unwrap_or_else(PoisonError::into_inner);
    codecs.by_name.insert(name.to_owned(), Arc::new(make));
    codecs.registrations += 1;
    Ok(())
}

/// How many times a codec was registered so far. As long as it stays the same, so do the codecs that are made of the
/// same metadata.
#[must_use]
pub fn codec_registrations() -> u64 {
    OWN_CODECS.read().unwrap_or_else(PoisonError::into_inner).registrations
}

/// The user's codec of this name.
pub(crate) fn own_codec(
    name: &str,
    configuration: &Configuration,
    context: &ChunkContext,
) -> Result<Codec, CodecError> {
    let codecs = OWN_CODECS.read().unwrap_or_else(PoisonError::into_inner);
    let make = codecs.by_name.get(name).cloned();
    drop(codecs);
    match make {
        Some(make) => make(configuration, context),
        None => Err(CodecError::Unsupported { name: name.to_owned() }),
    }
}
