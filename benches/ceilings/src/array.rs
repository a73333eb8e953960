//! The array that is read: just enough of Zarr v2 and v3 for the data sets of the benchmark.

use std::ffi::CString;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::Failure;

/// Shapes are filled up with leading ones to this rank.
pub(crate) const RANK: usize = 4;

pub(crate) type Shape = [usize; RANK];

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Codec {
    Raw,
    Zstd,
    Blosc,
    Gzip,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Element {
    Uint8,
    Int16,
    Uint16,
    Float32,
}

impl Element {
    pub(crate) fn size(self) -> usize {
        match self {
            Self::Uint8 => 1,
            Self::Int16 | Self::Uint16 => 2,
            Self::Float32 => 4,
        }
    }
}

pub(crate) struct Array {
    pub(crate) shape: Shape,
    /// The shape of what one codec call decodes: the inner chunk of a shard.
    pub(crate) chunk: Shape,
    /// The shape of what one file holds: a chunk or a shard.
    pub(crate) file: Shape,
    pub(crate) sharded: bool,
    pub(crate) element: Element,
    pub(crate) codec: Codec,
    /// Files in C order of their grid.
    pub(crate) paths: Vec<CString>,
}

impl Array {
    pub(crate) fn open(folder: &Path) -> Result<Self, Failure> {
        let v3 = folder.join("zarr.json");
        if v3.exists() { Self::open_v3(folder, &json(&v3)?) } else { Self::open_v2(folder) }
    }

    fn open_v3(folder: &Path, metadata: &Value) -> Result<Self, Failure> {
        let rank = metadata["shape"].as_array().ok_or("no shape")?.len();
        let file = shape(&metadata["chunk_grid"]["configuration"]["chunk_shape"])?;
        let mut codecs = &metadata["codecs"];
        let first = &codecs[0];
        let sharded = first["name"] == "sharding_indexed";
        let chunk = if sharded { shape(&first["configuration"]["chunk_shape"])? } else { file };
        if sharded {
            let location = first["configuration"]["index_location"].as_str().unwrap_or("end");
            if location != "end" {
                return Err("a shard index at the start".into());
            }
            codecs = &first["configuration"]["codecs"];
        }
        let names: Option<Vec<&str>> = codecs
            .as_array()
            .and_then(|list| list.iter().map(|codec| codec["name"].as_str()).collect());
        let codec = match &names.ok_or("no codecs")?[..] {
            ["bytes"] => Codec::Raw,
            ["bytes", "zstd"] => Codec::Zstd,
            ["bytes", "blosc"] => Codec::Blosc,
            ["bytes", "gzip"] => Codec::Gzip,
            other => return Err(format!("codecs {other:?}").into()),
        };
        let element = match metadata["data_type"].as_str() {
            Some("uint8") => Element::Uint8,
            Some("int16") => Element::Int16,
            Some("uint16") => Element::Uint16,
            Some("float32") => Element::Float32,
            other => return Err(format!("data type {other:?}").into()),
        };
        let encoding = &metadata["chunk_key_encoding"];
        let default = encoding["name"] == "default";
        let separator = encoding["configuration"]["separator"].as_str();
        let separator = separator.unwrap_or(if default { "/" } else { "." });
        let prefix = if default { format!("c{separator}") } else { String::new() };
        let shape = shape(&metadata["shape"])?;
        let paths = paths(folder, &prefix, separator, rank, shape, file)?;
        Ok(Self { shape, chunk, file, sharded, element, codec, paths })
    }

    fn open_v2(folder: &Path) -> Result<Self, Failure> {
        let metadata = json(&folder.join(".zarray"))?;
        let rank = metadata["shape"].as_array().ok_or("no shape")?.len();
        let codec = match metadata["compressor"]["id"].as_str() {
            None => Codec::Raw,
            Some("zstd") => Codec::Zstd,
            Some("blosc") => Codec::Blosc,
            Some("gzip") => Codec::Gzip,
            Some(other) => return Err(format!("compressor {other}").into()),
        };
        let element = match metadata["dtype"].as_str() {
            Some("|u1") => Element::Uint8,
            Some("<i2") => Element::Int16,
            Some("<u2") => Element::Uint16,
            Some("<f4") => Element::Float32,
            other => return Err(format!("data type {other:?}").into()),
        };
        let separator = metadata["dimension_separator"].as_str().unwrap_or(".");
        let chunk = shape(&metadata["chunks"])?;
        let shape = shape(&metadata["shape"])?;
        let paths = paths(folder, "", separator, rank, shape, chunk)?;
        Ok(Self { shape, chunk, file: chunk, sharded: false, element, codec, paths })
    }

    pub(crate) fn decoded_bytes(&self) -> usize {
        self.shape.iter().product::<usize>() * self.element.size()
    }

    pub(crate) fn chunk_bytes(&self) -> usize {
        self.chunk.iter().product::<usize>() * self.element.size()
    }

    /// Inner chunks in a file along each axis; ones without shards.
    pub(crate) fn inner_grid(&self) -> Shape {
        std::array::from_fn(|axis| self.file[axis].div_ceil(self.chunk[axis]))
    }

    pub(crate) fn chunks_in_file(&self) -> usize {
        self.inner_grid().iter().product()
    }

    /// The first element of inner chunk `inner` of file `file`; `None` for one outside of the array.
    pub(crate) fn origin(&self, file: usize, inner: usize) -> Option<Shape> {
        let outer = coordinates(file, grid(self.shape, self.file));
        let within = coordinates(inner, self.inner_grid());
        let origin: Shape = std::array::from_fn(|axis| {
            outer[axis] * self.file[axis] + within[axis] * self.chunk[axis]
        });
        (0..RANK).all(|axis| origin[axis] < self.shape[axis]).then_some(origin)
    }

    /// The file and the inner chunk that hold the chunk at `coordinates` of the grid of inner chunks.
    pub(crate) fn locate(&self, chunk: Shape) -> (usize, usize) {
        let inner = self.inner_grid();
        let outer = grid(self.shape, self.file);
        let (mut file, mut within) = (0, 0);
        for axis in 0..RANK {
            file = file * outer[axis] + chunk[axis] / inner[axis];
            within = within * inner[axis] + chunk[axis] % inner[axis];
        }
        (file, within)
    }

    /// Bytes that are enough for any one encoded chunk: what zstd, blosc and deflate add to data that
    /// does not compress is below one part in 128 and a few bytes.
    pub(crate) fn encoded_bound(&self) -> usize {
        self.chunk_bytes() + self.chunk_bytes() / 128 + 4096
    }

    /// Sum of the files' lengths.
    pub(crate) fn stored_bytes(&self) -> Result<usize, Failure> {
        let mut sum = 0;
        for path in &self.paths {
            sum += std::fs::metadata(Path::new(path.to_str()?))?.len() as usize;
        }
        Ok(sum)
    }

    /// Sum of the raw bits of the elements at multiples of 4096 bytes.
    pub(crate) fn checksum(&self, decoded: &[u8]) -> u64 {
        checksum(self.element.size(), decoded)
    }
}

pub(crate) fn checksum(size: usize, decoded: &[u8]) -> u64 {
    decoded
        .iter()
        .step_by(4096)
        .enumerate()
        .fold(0, |sum, (page, _)| sum + element_bits(&decoded[page * 4096..page * 4096 + size]))
}

/// The raw bits of one little-endian element.
pub(crate) fn element_bits(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |bits, &byte| bits << 8 | u64::from(byte))
}

pub(crate) fn grid(shape: Shape, chunk: Shape) -> Shape {
    std::array::from_fn(|axis| shape[axis].div_ceil(chunk[axis]))
}

pub(crate) fn coordinates(mut number: usize, grid: Shape) -> Shape {
    let mut result = [0; RANK];
    for axis in (0..RANK).rev() {
        result[axis] = number % grid[axis];
        number /= grid[axis];
    }
    result
}

fn json(path: &PathBuf) -> Result<Value, Failure> {
    let text = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(serde_json::from_slice(&text)?)
}

fn shape(value: &Value) -> Result<Shape, Failure> {
    let entries = value.as_array().ok_or("no list of lengths")?;
    let skip = RANK.checked_sub(entries.len()).ok_or("too many dimensions")?;
    let mut shape = [1; RANK];
    for (axis, entry) in entries.iter().enumerate() {
        shape[skip + axis] = entry.as_u64().filter(|&len| len > 0).ok_or("not a length")? as usize;
    }
    Ok(shape)
}

fn paths(
    folder: &Path,
    prefix: &str,
    separator: &str,
    rank: usize,
    shape: Shape,
    file: Shape,
) -> Result<Vec<CString>, Failure> {
    let grid = grid(shape, file);
    let folder = folder.to_str().ok_or("a folder's name is not UTF-8")?;
    (0..grid.iter().product())
        .map(|number| {
            let at = coordinates(number, grid).map(|index| index.to_string());
            let key = at[RANK - rank..].join(separator);
            Ok(CString::new(format!("{folder}/{prefix}{key}"))?)
        })
        .collect()
}
