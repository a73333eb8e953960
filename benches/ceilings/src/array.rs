//! The array that is read: a three-dimensional Zarr v3 array of float32 chunks under zstd.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::Failure;
use crate::huge_pages::SharedBytes;

/// The checksum is the sum of the elements whose last two coordinates are multiples of this.
const CHECKSUM_STEP: usize = 32;

pub struct Array {
    shape: [usize; 3],
    chunk: [usize; 3],
    /// Chunk files in C order of the grid.
    pub files: Vec<PathBuf>,
    pub stored_bytes: u64,
    pub largest_file: usize,
}

impl Array {
    pub fn open(folder: &str) -> Result<Self, Failure> {
        let folder = Path::new(folder);
        let metadata: Value = serde_json::from_slice(&std::fs::read(folder.join("zarr.json"))?)?;
        let three = |value: &Value| -> Result<[usize; 3], Failure> {
            let entries = value.as_array().ok_or("no list of lengths")?.iter();
            let lengths = entries.map(|len| len.as_u64().map(|len| len as usize));
            let lengths: Option<Vec<usize>> = lengths.collect();
            Ok(lengths.and_then(|list| list.try_into().ok()).ok_or("not three dimensions")?)
        };
        let shape = three(&metadata["shape"])?;
        let chunk = three(&metadata["chunk_grid"]["configuration"]["chunk_shape"])?;
        let counts = grid(shape, chunk);
        let mut files = Vec::new();
        for a in 0..counts[0] {
            for b in 0..counts[1] {
                files.extend((0..counts[2]).map(|c| folder.join(format!("c/{a}/{b}/{c}"))));
            }
        }
        let lengths = files
            .iter()
            .map(|file| Ok(file.metadata()?.len()))
            .collect::<std::io::Result<Vec<_>>>()?;
        let stored_bytes = lengths.iter().sum();
        let largest_file = lengths.into_iter().max().unwrap_or_default() as usize;
        Ok(Self { shape, chunk, files, stored_bytes, largest_file })
    }

    pub fn decoded_bytes(&self) -> usize {
        self.shape.iter().product::<usize>() * 4
    }

    pub fn chunk_bytes(&self) -> usize {
        self.chunk.iter().product::<usize>() * 4
    }

    /// Copies the part of a chunk that lies inside the array to its place in the result.
    pub fn place(&self, number: usize, decoded: &[u8], result: &SharedBytes) {
        let counts = grid(self.shape, self.chunk);
        let at = [
            number / (counts[1] * counts[2]) * self.chunk[0],
            number / counts[2] % counts[1] * self.chunk[1],
            number % counts[2] * self.chunk[2],
        ];
        let len = |axis: usize| self.chunk[axis].min(self.shape[axis] - at[axis]);
        for a in 0..len(0) {
            for b in 0..len(1) {
                let source = (a * self.chunk[1] + b) * self.chunk[2] * 4;
                let target = ((at[0] + a) * self.shape[1] + at[1] + b) * self.shape[2] + at[2];
                result.write(target * 4, &decoded[source..source + len(2) * 4]);
            }
        }
    }

    pub fn checksum(&self, result: &[u8]) -> f64 {
        let mut sum = 0.0;
        for a in 0..self.shape[0] {
            for b in (0..self.shape[1]).step_by(CHECKSUM_STEP) {
                for c in (0..self.shape[2]).step_by(CHECKSUM_STEP) {
                    let at = ((a * self.shape[1] + b) * self.shape[2] + c) * 4;
                    let bytes = [result[at], result[at + 1], result[at + 2], result[at + 3]];
                    sum += f64::from(f32::from_le_bytes(bytes));
                }
            }
        }
        sum
    }
}

fn grid(shape: [usize; 3], chunk: [usize; 3]) -> [usize; 3] {
    std::array::from_fn(|axis| shape[axis].div_ceil(chunk[axis]))
}
