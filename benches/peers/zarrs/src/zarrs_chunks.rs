//! Every chunk, or every inner chunk of a shard, in a parallel loop over zarrs.

use rayon::iter::{IntoParallelIterator, ParallelIterator};
use zarrs::array::{
    Array, ArrayBytes, ArrayShardedExt, ArrayShardedReadableExt, ArrayShardedReadableExtCache,
    CodecOptions,
};
use zarrs::filesystem::FilesystemStore;

use crate::arguments::Arguments;
use crate::measurement::{Outcome, Rounds};
use crate::{Failure, checksum, decoded_bytes, element_size};

/// Calls `look` with each decoded chunk and gives all that it returns.
fn each_chunk<R: Send>(
    array: &Array<FilesystemStore>,
    look: impl Fn(&[u8]) -> R + Sync,
) -> Result<Vec<R>, Failure> {
    let sharded = array.is_sharded();
    // A shard's index is read and parsed once.
    let cache = ArrayShardedReadableExtCache::new(array);
    let grid =
        if sharded { array.subchunk_grid_shape() } else { array.chunk_grid_shape().to_vec() };
    // The loop is parallel: one call decodes one chunk, on one thread.
    let options = CodecOptions::default().with_concurrent_target(1);
    (0..grid.iter().product::<u64>())
        .into_par_iter()
        .map(|mut number| {
            let mut indices = vec![0; grid.len()];
            for axis in (0..grid.len()).rev() {
                indices[axis] = number % grid[axis];
                number /= grid[axis];
            }
            let bytes: ArrayBytes<'static> = if sharded {
                array.retrieve_subchunk_opt(&cache, &indices, &options)?
            } else {
                array.retrieve_chunk_opt(&indices, &options)?
            };
            Ok(look(&bytes.into_fixed()?))
        })
        .collect()
}

pub(crate) fn chunks(arguments: &Arguments, array: &Array<FilesystemStore>) -> Result<(), Failure> {
    let size = element_size(array)?;
    let mut rounds = Rounds::new(&arguments.task)?;
    for _ in 0..arguments.rounds {
        let running = rounds.start()?;
        let sums = each_chunk(array, |bytes| checksum(size, bytes))?;
        let elapsed = running.stop()?;
        let outcome = Outcome {
            decoded_bytes: decoded_bytes(array)?,
            checksum: Some(sums.iter().sum()),
            more: vec![("chunks", sums.len())],
            ..Outcome::default()
        };
        rounds.print(&elapsed, &outcome)?;
    }
    Ok(())
}

/// The mean of all elements by a loop as a user would write it.
pub(crate) fn mean(arguments: &Arguments, array: &Array<FilesystemStore>) -> Result<(), Failure> {
    let size = element_size(array)?;
    // The names of version 3 and version 2, such as "float32 / <f4".
    let names = array.data_type().to_string();
    let sum: fn(&[u8]) -> f64 = match names.split(' ').next().unwrap_or_default() {
        "int16" => |bytes| sum_of(bytes, |two| f64::from(i16::from_le_bytes(two))),
        "uint16" => |bytes| sum_of(bytes, |two| f64::from(u16::from_le_bytes(two))),
        "float32" => |bytes| sum_of(bytes, |four| f64::from(f32::from_le_bytes(four))),
        other => return Err(format!("no mean of {other}").into()),
    };
    let mut rounds = Rounds::new(&arguments.task)?;
    for _ in 0..arguments.rounds {
        let running = rounds.start()?;
        let sums = each_chunk(array, sum)?;
        let elapsed = running.stop()?;
        let decoded_bytes = decoded_bytes(array)?;
        let mean = Some(sums.iter().sum::<f64>() / (decoded_bytes / size) as f64);
        rounds.print(&elapsed, &Outcome { decoded_bytes, mean, ..Outcome::default() })?;
    }
    Ok(())
}

/// Several sums at a time: additions of doubles would wait for each other otherwise.
fn sum_of<const SIZE: usize>(bytes: &[u8], value: impl Fn([u8; SIZE]) -> f64) -> f64 {
    const LANES: usize = 16;
    let (elements, _) = bytes.as_chunks::<SIZE>();
    let (steps, rest) = elements.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for step in steps {
        for (sum, &element) in sums.iter_mut().zip(step) {
            *sum += value(element);
        }
    }
    sums.iter().sum::<f64>() + rest.iter().map(|&element| value(element)).sum::<f64>()
}
