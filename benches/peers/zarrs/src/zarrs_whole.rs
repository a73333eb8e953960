//! The whole array with one call of zarrs.

use unsafe_cell_slice::UnsafeCellSlice;
use zarrs::array::{Array, ArrayBytes, ArrayBytesDecodeIntoTarget, ArrayBytesFixedDisjointView};
use zarrs::filesystem::FilesystemStore;

use crate::arguments::Arguments;
use crate::huge_pages::HugePages;
use crate::measurement::{Outcome, Rounds};
use crate::{Failure, checksum, decoded_bytes, element_size};

/// A new result each time, as the call gives it.
pub(crate) fn whole(arguments: &Arguments, array: &Array<FilesystemStore>) -> Result<(), Failure> {
    let size = element_size(array)?;
    let subset = array.subset_all();
    let mut rounds = Rounds::new(&arguments.task)?;
    for _ in 0..arguments.rounds {
        let running = rounds.start()?;
        let result: ArrayBytes<'static> = array.retrieve_array_subset(&subset)?;
        let elapsed = running.stop()?;
        let bytes = result.into_fixed()?;
        let (decoded_bytes, checksum) = (bytes.len(), Some(checksum(size, &bytes)));
        rounds.print(&elapsed, &Outcome { decoded_bytes, checksum, ..Outcome::default() })?;
    }
    Ok(())
}

/// Into memory of ours, which the first round allocates.
pub(crate) fn whole_into(
    arguments: &Arguments,
    array: &Array<FilesystemStore>,
) -> Result<(), Failure> {
    let size = element_size(array)?;
    let decoded_bytes = decoded_bytes(array)?;
    let subset = array.subset_all();
    let mut kept: Option<HugePages> = None;
    let mut rounds = Rounds::new(&arguments.task)?;
    for _ in 0..arguments.rounds {
        let running = rounds.start()?;
        let mut result = HugePages::kept_or_new(kept.take(), decoded_bytes)?;
        let cells = UnsafeCellSlice::new(result.bytes_mut());
        // SAFETY: the only view of the result.
        let mut view = unsafe {
            ArrayBytesFixedDisjointView::new(cells, size, array.shape(), subset.clone())
        }?;
        array.retrieve_array_subset_into(&subset, ArrayBytesDecodeIntoTarget::Fixed(&mut view))?;
        let elapsed = running.stop()?;
        let checksum = Some(checksum(size, result.bytes()));
        rounds.print(&elapsed, &Outcome { decoded_bytes, checksum, ..Outcome::default() })?;
        kept = Some(result);
    }
    Ok(())
}
