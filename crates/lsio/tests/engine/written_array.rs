//! Arrays whose elements are known, and the writing of them.

use std::sync::Arc;

use lsio::DataType;
use lsio_io::{Key, WriteStorage};
use lsio_zarr::{ArraySpec, ArrayWriter};
use serde_json::{Map, Value, json};

use crate::naive_model::{for_each_index, number_of};
use crate::random::Random;

/// An array and all of its elements, in C order.
#[derive(Debug, Clone)]
pub(crate) struct WrittenArray {
    pub(crate) spec: ArraySpec,
    pub(crate) elements: Vec<u8>,
    /// One element in memory representation; belongs to `spec.fill_value`.
    fill: Vec<u8>,
    /// One chunk in so many does not exist; 0: all do.
    missing_every: u64,
}

impl WrittenArray {
    /// float32 values that look like a field with noise. The fill value is -1.
    pub(crate) fn floats(shape: &[u64], chunk_shape: &[u64], seed: u64) -> Self {
        let mut random = Random(seed);
        let count = shape.iter().product::<u64>();
        let value = |number: u64| {
            let noise = random.below(1024) as f32 / 512.0;
            280.0 + (number as f32 / 100.0).sin() * 20.0 + noise
        };
        let elements = (0..count).map(value).flat_map(f32::to_ne_bytes).collect();
        Self::new(shape, chunk_shape, DataType::Float32, elements)
    }

    /// Bytes that are the same everywhere.
    pub(crate) fn constant(shape: &[u64], chunk_shape: &[u64], value: u8) -> Self {
        let count = shape.iter().product::<u64>() as usize;
        Self::new(shape, chunk_shape, DataType::UInt8, vec![value; count])
    }

    /// An array of these elements. The fill value is -1 (255 for uint8).
    pub(crate) fn new(
        shape: &[u64],
        chunk_shape: &[u64],
        data_type: DataType,
        elements: Vec<u8>,
    ) -> Self {
        let (fill_value, fill) = match &data_type {
            DataType::Float32 => (json!(-1.0), (-1f32).to_ne_bytes().to_vec()),
            DataType::Float16 => (json!(-1.0), 0xBC00u16.to_ne_bytes().to_vec()),
            DataType::Int64 => (json!(-1), (-1i64).to_ne_bytes().to_vec()),
            DataType::UInt8 => (json!(255), vec![255]),
            other => panic!("no test needs {other}"),
        };
        let spec = ArraySpec {
            shape: shape.to_vec(),
            chunk_shape: chunk_shape.to_vec(),
            shard_shape: None,
            data_type,
            codecs: vec![
                ("bytes".into(), json!({"endian": "little"})),
                ("zstd".into(), json!({"level": 1, "checksum": false})),
            ],
            fill_value,
            dimension_names: None,
            attributes: Map::new(),
        };
        Self { spec, elements, fill, missing_every: 0 }
    }

    pub(crate) fn sharded(mut self, shard_shape: &[u64]) -> Self {
        self.spec.shard_shape = Some(shard_shape.to_vec());
        self
    }

    /// Chunks are stored in F order.
    pub(crate) fn f_order(mut self) -> Self {
        let order: Vec<usize> = (0..self.spec.shape.len()).rev().collect();
        self.spec.codecs.insert(0, ("transpose".into(), json!({ "order": order })));
        self
    }

    /// Chunks are stored as they are.
    pub(crate) fn uncompressed(mut self) -> Self {
        self.spec.codecs.retain(|(name, _)| name != "zstd");
        self
    }

    /// One chunk in `every` does not exist: its elements become the fill value.
    pub(crate) fn with_missing(mut self, every: u64) -> Self {
        self.missing_every = every;
        let (shape, size) = (self.spec.shape.clone(), self.size());
        for_each_index(&shape, |index| {
            let chunk: Vec<u64> =
                index.iter().zip(&self.spec.chunk_shape).map(|(at, len)| at / len).collect();
            if self.is_missing(&chunk) {
                let at = number_of(index, &shape) * size;
                self.elements[at..at + size].copy_from_slice(&self.fill);
            }
        });
        self
    }

    pub(crate) fn size(&self) -> usize {
        self.spec.data_type.size().unwrap()
    }

    pub(crate) fn grid(&self) -> Vec<u64> {
        grid(&self.spec.shape, &self.spec.chunk_shape)
    }

    pub(crate) fn is_missing(&self, chunk: &[u64]) -> bool {
        self.missing_every > 0
            && number_of(chunk, &self.grid()) as u64 % self.missing_every == self.missing_every - 1
    }

    /// Bytes of one decoded chunk.
    pub(crate) fn chunk_bytes(&self) -> u64 {
        self.spec.chunk_shape.iter().product::<u64>() * self.size() as u64
    }

    /// Elements of one whole chunk; zeros beyond the edge of the array.
    pub(crate) fn chunk(&self, chunk: &[u64]) -> Vec<u8> {
        let ArraySpec { shape, chunk_shape, .. } = &self.spec;
        let size = self.size();
        let mut elements = Vec::with_capacity(self.chunk_bytes() as usize);
        for_each_index(chunk_shape, |inside| {
            let corner = chunk.iter().zip(chunk_shape);
            let index: Vec<u64> =
                corner.zip(inside).map(|((at, len), inside)| at * len + inside).collect();
            if index.iter().zip(shape).all(|(at, len)| at < len) {
                let at = number_of(&index, shape) * size;
                elements.extend_from_slice(&self.elements[at..at + size]);
            } else {
                elements.resize(elements.len() + size, 0);
            }
        });
        elements
    }

    /// Writes metadata and chunks.
    pub(crate) fn write(&self, store: Arc<dyn WriteStorage>, path: &str) {
        let writer = ArrayWriter::create(store, Key::new(path).unwrap(), &self.spec).unwrap();
        self.write_chunks(&writer);
    }

    /// Writes the chunks again.
    pub(crate) fn write_chunks(&self, writer: &ArrayWriter) {
        let Some(shard_shape) = &self.spec.shard_shape else {
            for_each_index(&self.grid(), |chunk| {
                if !self.is_missing(chunk) {
                    writer.write_chunk(chunk, &self.chunk(chunk)).unwrap();
                }
            });
            return;
        };
        let per_shard = grid(shard_shape, &self.spec.chunk_shape);
        for_each_index(&grid(&self.spec.shape, shard_shape), |shard| {
            let mut chunks = Vec::new();
            for_each_index(&per_shard, |inside| {
                let corner = shard.iter().zip(&per_shard);
                let chunk: Vec<u64> =
                    corner.zip(inside).map(|((at, len), inside)| at * len + inside).collect();
                let outside = chunk.iter().zip(self.grid()).any(|(at, len)| *at >= len);
                let there = !outside && !self.is_missing(&chunk);
                chunks.push(there.then(|| self.chunk(&chunk)));
            });
            let chunks: Vec<Option<&[u8]>> = chunks.iter().map(Option::as_deref).collect();
            writer.write_shard(shard, &chunks).unwrap();
        });
    }

    /// The fill value in its JSON form.
    pub(crate) fn fill_value(&self) -> &Value {
        &self.spec.fill_value
    }
}

fn grid(shape: &[u64], parts: &[u64]) -> Vec<u64> {
    shape.iter().zip(parts).map(|(len, part)| len.div_ceil(*part)).collect()
}
