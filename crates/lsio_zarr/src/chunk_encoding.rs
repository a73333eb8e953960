//! From the codecs in metadata to what encodes and decodes the chunks of an array.

use std::sync::Arc;

use lsio_array::DataType;
use lsio_codecs::{
    BytesCodec, ChunkContext, Codec, CodecChain, CodecError, Endian, Serializer,
    codec_registrations, codec_v3, codecs_v2,
};
use serde_json::{Map, Value};

use crate::array::ENCODED_STRINGS_LIMIT;
use crate::error::Refusal;
use crate::extension::Extension;
use crate::shard_codec::ShardCodec;
use crate::shard_level::ShardLevel;
use crate::sharding::{SHARDING, ShardingConfiguration};

/// How the chunks of an array are encoded.
///
/// Without sharding that is a chain of codecs. With it there are levels of shards above the chain:
/// level 0 is the stored object, each further one lies inside a chunk of the one before.
#[derive(Debug, Clone)]
pub(crate) struct ChunkEncoding {
    chain: CodecChain,
    /// Shape of the innermost chunks, by the axes of the array.
    chunk_shape: Vec<u64>,
    /// Axis of the array for each axis of a decoded chunk, slowest first.
    axis_order: Vec<usize>,
    levels: Vec<ShardLevel>,
    /// Codecs that users had registered before.
    registrations: u64,
}

/// Name and configuration of a codec as numcodecs has it: the name is a member of the configuration.
pub(crate) type NumcodecsCodec<'a> = (&'a str, &'a Map<String, Value>);

/// What `.zarray` says about the encoding of chunks.
#[derive(Debug, Clone)]
pub(crate) struct V2Codecs<'a> {
    /// Byte order, from the data type.
    pub(crate) endian: Endian,
    /// Whether `order` is `"F"`.
    pub(crate) is_f_order: bool,
    /// The filters, in the order of encoding.
    pub(crate) filters: &'a [NumcodecsCodec<'a>],
    /// The compressor, which comes after them.
    pub(crate) compressor: Option<NumcodecsCodec<'a>>,
}

impl ChunkEncoding {
    /// Reads the codecs of v3. `stored_shape` is the shape of the chunks of the grid, checked.
    pub(crate) fn from_v3(
        codecs: &[Value],
        data_type: &DataType,
        stored_shape: &[u64],
        fill_value: Option<Vec<u8>>,
    ) -> Result<Self, Refusal> {
        let registrations = codec_registrations();
        let axes: Vec<usize> = (0..stored_shape.len()).collect();
        let mut nesting = Nesting {
            data_type: data_type.clone(),
            fill_value,
            shapes: vec![stored_shape.to_vec()],
            found: Vec::new(),
        };
        let (chain, axes) = nesting.descend(codecs, stored_shape.to_vec(), axes)?;
        let chunk_shape = nesting.shapes[nesting.shapes.len() - 1].clone();
        let levels = nesting.levels(&chunk_shape, chain.encoded_bound());
        let axis_order = chain.axis_order().iter().map(|&axis| axes[axis]).collect();
        Ok(Self { chain, chunk_shape, axis_order, levels, registrations })
    }

    /// Reads the codecs of v2.
    pub(crate) fn from_v2(
        codecs: &V2Codecs<'_>,
        data_type: &DataType,
        chunk_shape: &[u64],
    ) -> Result<Self, Refusal> {
        let registrations = codec_registrations();
        let context = ChunkContext { data_type: data_type.clone(), shape: chunk_shape.to_vec() };
        let filters_and_compressor: Vec<_> =
            codecs.filters.iter().copied().chain(codecs.compressor).collect();
        let chain = codecs_v2(&context, codecs.endian, codecs.is_f_order, &filters_and_compressor)
            .map_err(refusal)?;
        let chain = CodecChain::new(chain, &context).map_err(refusal)?;
        let axis_order = chain.axis_order().to_vec();
        let (chunk_shape, levels) = (chunk_shape.to_vec(), Vec::new());
        Ok(Self { chain, chunk_shape, axis_order, levels, registrations })
    }

    /// The codecs of the innermost chunks.
    pub(crate) fn chain(&self) -> &CodecChain {
        &self.chain
    }

    /// Shape of the innermost chunks, by the axes of the array.
    pub(crate) fn chunk_shape(&self) -> &[u64] {
        &self.chunk_shape
    }

    /// Axis of the array for each axis of a decoded chunk, slowest first.
    pub(crate) fn axis_order(&self) -> &[usize] {
        &self.axis_order
    }

    /// Levels of shards, outermost first.
    pub(crate) fn levels(&self) -> &[ShardLevel] {
        &self.levels
    }

    /// Whether users have registered no codec between the making of both.
    pub(crate) fn has_codecs_of(&self, other: &Self) -> bool {
        self.registrations == other.registrations
    }

    /// Whether a stored object holds several chunks.
    pub(crate) fn is_sharded(&self) -> bool {
        !self.levels.is_empty()
    }
}

/// A sharding codec on the way to the innermost chunks.
struct FoundLevel {
    configuration: ShardingConfiguration,
    /// Axis of the array for each axis that the codec sees.
    axes: Vec<usize>,
    /// Codecs after it.
    after: Vec<Arc<dyn BytesCodec>>,
}

/// The levels of shards found so far while descending into the codecs of v3.
struct Nesting {
    data_type: DataType,
    fill_value: Option<Vec<u8>>,
    /// Shapes of the chunks by the axes of the array: of the grid, then of each level of shards.
    shapes: Vec<Vec<u64>>,
    /// Outermost first.
    found: Vec<FoundLevel>,
}

impl Nesting {
    /// Reads the codecs of chunks of `shape`, whose axes are `axes` of the array. Gives the chain of
    /// the innermost chunks and their axes before it.
    fn descend(
        &mut self,
        codecs: &[Value],
        shape: Vec<u64>,
        axes: Vec<usize>,
    ) -> Result<(CodecChain, Vec<usize>), Refusal> {
        let extensions: Vec<Extension> = codecs
            .iter()
            .map(|codec| Extension::parse(codec, "codecs"))
            .collect::<Result<_, _>>()?;
        let context = ChunkContext { data_type: self.data_type.clone(), shape };
        let Some(at) = extensions.iter().position(|codec| codec.name == SHARDING) else {
            let chain = codecs_of(&extensions, context.clone(), self.fill_value.clone())?;
            return Ok((CodecChain::new(chain, &context).map_err(refusal)?, axes));
        };
        let codecs_after = codecs_after_shards(&extensions[at + 1..], &context)?;
        let after = codecs_after.clone().unwrap_or_default();
        let in_encoded = self.found.iter().any(|level| !level.after.is_empty());
        let order = order_before_shards(&extensions[..at], &context, self.fill_value.as_deref())?;
        // No part of such a shard can be decoded, or none without a copy of the whole for each.
        let is_open = codecs_after.is_some() && (after.is_empty() || !in_encoded);
        let Some(order) = order.filter(|_| is_open) else {
            let chain = chain_of(&extensions, &context, self.fill_value.clone())?;
            return Ok((chain, axes));
        };
        let axes: Vec<usize> = order.iter().map(|&axis| axes[axis]).collect();
        let shard_shape: Vec<u64> = order.iter().map(|&axis| context.shape[axis]).collect();
        let configuration =
            ShardingConfiguration::parse(&extensions[at].configuration, &shard_shape)?;
        let inner_shape = configuration.chunk_shape.clone();
        let inner_codecs = configuration.codecs.clone();
        let mut by_array_axes = vec![1; axes.len()];
        for (&axis, &extent) in axes.iter().zip(&inner_shape) {
            by_array_axes[axis] = extent;
        }
        self.shapes.push(by_array_axes);
        self.found.push(FoundLevel { configuration, axes: axes.clone(), after });
        self.descend(&inner_codecs, inner_shape, axes)
    }

    /// The levels above innermost chunks of this shape and of at most `chunk_bound` encoded bytes.
    fn levels(self, chunk_shape: &[u64], chunk_bound: u64) -> Vec<ShardLevel> {
        let mut bound = chunk_bound;
        let is_guess = self.data_type.size().is_none();
        let growth_limit = if is_guess { ENCODED_STRINGS_LIMIT } else { 0 };
        let mut levels: Vec<ShardLevel> = self
            .found
            .into_iter()
            .zip(self.shapes.windows(2))
            .rev()
            .map(|(FoundLevel { configuration, axes, after }, shapes)| {
                let shapes = [shapes[0].as_slice(), &shapes[1], chunk_shape];
                let level = ShardLevel::new(configuration, axes, shapes);
                let level = level.with_codecs(after, bound, growth_limit);
                bound = level.encoded_bound(bound);
                level
            })
            .collect();
        levels.reverse();
        levels
    }
}

/// The codecs after a sharding codec, which must work on bytes; `None` if one of them answers later.
fn codecs_after_shards(
    after: &[Extension],
    context: &ChunkContext,
) -> Result<Option<Vec<Arc<dyn BytesCodec>>>, Refusal> {
    let codecs: Vec<Option<_>> = after
        .iter()
        .map(|extension| match codec_of(extension, context)? {
            Codec::BytesToBytes(codec) => Ok(Some(codec)),
            Codec::Suspending(_) => Ok(None),
            _ => Err(Refusal::invalid(format!(
                "'{SHARDING}' makes bytes of elements, so the codec '{}' cannot come after it",
                extension.name
            ))),
        })
        .collect::<Result<_, _>>()?;
    Ok(codecs.into_iter().collect())
}

/// The order of the axes that the codecs before a sharding codec leave; `None` where they do more than that.
fn order_before_shards(
    before: &[Extension],
    context: &ChunkContext,
    fill_value: Option<&[u8]>,
) -> Result<Option<Vec<usize>>, Refusal> {
    let mut context = context.clone();
    let mut order: Vec<usize> = (0..context.shape.len()).collect();
    for extension in before {
        let codec = codec_of(extension, &context)?;
        let decoded = context;
        context = codec.encoded_context(&decoded).map_err(refusal)?;
        match &codec {
            // Nothing to undo, for missing chunks either.
            Codec::ArrayToArray(steps)
                if steps.decodes_to_itself()
                    && context == decoded
                    && fill_value
                        .is_some_and(|fill| codec.encoded_fill(fill).as_deref() == Some(fill)) => {}
            Codec::Transpose(transpose) => {
                order = transpose.order().iter().map(|&axis| order[axis]).collect();
            }
            Codec::ArrayToArray(_) => return Ok(None),
            Codec::ArrayToBytes(_) | Codec::BytesToBytes(_) | Codec::Suspending(_) => {
                return Err(Refusal::invalid(format!(
                    "'{SHARDING}' makes bytes of elements, so the codec '{}' cannot come before it",
                    extension.name
                )));
            }
        }
    }
    Ok(Some(order))
}

/// The codecs of a chunk as one chain, shards among them. `fill_value`: one element, if it is known what it is
/// behind the codecs so far.
fn chain_of(
    extensions: &[Extension],
    context: &ChunkContext,
    mut fill_value: Option<Vec<u8>>,
) -> Result<CodecChain, Refusal> {
    let mut codecs = Vec::with_capacity(extensions.len());
    let mut current = context.clone();
    for extension in extensions {
        let codec = if extension.name == SHARDING {
            let configuration =
                ShardingConfiguration::parse(&extension.configuration, &current.shape)?;
            let inner: Vec<Extension> = configuration
                .codecs
                .iter()
                .map(|codec| Extension::parse(codec, "codecs"))
                .collect::<Result<_, _>>()?;
            let shape = configuration.chunk_shape.clone();
            let chunk = ChunkContext { shape, ..current.clone() };
            let chain = chain_of(&inner, &chunk, fill_value.clone())?;
            let shard = ShardCodec::new(configuration, chain, &current, fill_value.clone())?;
            Codec::ArrayToBytes(Serializer::Coded(Arc::new(shard)))
        } else {
            codec_of(extension, &current)?
        };
        fill_value = fill_behind(&codec, fill_value.as_deref())?;
        current = codec.encoded_context(&current).map_err(refusal)?;
        codecs.push(codec);
    }
    CodecChain::new(codecs, context).map_err(refusal)
}

/// What an element of fill is behind a codec, where that is known.
fn fill_behind(codec: &Codec, fill_value: Option<&[u8]>) -> Result<Option<Vec<u8>>, Refusal> {
    let Some(fill_value) = fill_value else { return Ok(None) };
    codec.check_fill(fill_value).map_err(refusal)?;
    Ok(codec.encoded_fill(fill_value))
}

/// Makes the codecs of v3 for a chunk, each for what the one before it leaves. `fill_value`: one element, if it
/// is known.
pub(crate) fn codecs_of(
    extensions: &[Extension],
    mut context: ChunkContext,
    mut fill_value: Option<Vec<u8>>,
) -> Result<Vec<Codec>, Refusal> {
    extensions
        .iter()
        .map(|extension| {
            let codec = codec_of(extension, &context)?;
            fill_value = fill_behind(&codec, fill_value.as_deref())?;
            context = codec.encoded_context(&context).map_err(refusal)?;
            Ok(codec)
        })
        .collect()
}

/// Makes a codec of v3.
pub(crate) fn codec_of(extension: &Extension, context: &ChunkContext) -> Result<Codec, Refusal> {
    codec_v3(&extension.name, &extension.configuration, context).map_err(refusal)
}

/// Why codecs that cannot be made refuse the document they are in.
pub(crate) fn refusal(error: CodecError) -> Refusal {
    match error {
        CodecError::Unsupported { name } => Refusal::unsupported(format!("the codec '{name}'")),
        other => Refusal::caused("the codecs cannot decode the chunks", other),
    }
}
