//! Crops in a parallel loop over zarrs, one call for each crop.

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use zarrs::array::{
    Array, ArrayBytes, ArrayShardedExt, ArrayShardedReadableExt, ArrayShardedReadableExtCache,
    ArraySubset, CodecOptions,
};
use zarrs::filesystem::FilesystemStore;

use crate::arguments::Arguments;
use crate::crops::{SIDE, checksum, places};
use crate::measurement::{Outcome, Rounds};
use crate::{Failure, element_size};

pub(crate) fn crops(arguments: &Arguments, array: &Array<FilesystemStore>) -> Result<(), Failure> {
    let size = element_size(array)?;
    let shape = array.shape().iter().map(|&len| len as usize).collect::<Vec<_>>();
    let shape: [usize; 3] = shape.try_into().map_err(|_| "crops of three dimensions only")?;
    let places = places(shape);
    let options = CodecOptions::default().with_concurrent_target(1);
    let mut rounds = Rounds::new(&arguments.task)?;
    for _ in 0..arguments.rounds {
        let running = rounds.start()?;
        let cache = ArrayShardedReadableExtCache::new(array);
        let read = |&[z, y, x]: &[usize; 3]| -> Result<Vec<u8>, Failure> {
            let start = vec![z as u64, y as u64, x as u64];
            let subset =
                ArraySubset::new_with_start_shape(start, vec![1, SIDE as u64, SIDE as u64])?;
            let bytes: ArrayBytes<'static> = if array.is_sharded() {
                array.retrieve_array_subset_sharded_opt(&cache, &subset, &options)?
            } else {
                array.retrieve_array_subset_opt(&subset, &options)?
            };
            Ok(bytes.into_fixed()?.into_owned())
        };
        let crops = places.par_iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let elapsed = running.stop()?;
        let outcome = Outcome {
            decoded_bytes: crops.iter().map(Vec::len).sum(),
            checksum: Some(crops.iter().map(|crop| checksum(size, crop)).sum()),
            ..Outcome::default()
        };
        rounds.print(&elapsed, &outcome)?;
    }
    Ok(())
}
