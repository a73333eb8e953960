//! The ranges of the task `ranges`: all blocks of all files of a folder in a shuffled order.

use std::ffi::CString;
use std::fs;
use std::path::Path;

use crate::Failure;

/// Length of a range; the last one of a file may be shorter.
const RANGE: usize = 256 << 10;

#[derive(Clone, Copy)]
pub(crate) struct Range {
    pub(crate) file: usize,
    pub(crate) offset: usize,
    pub(crate) len: usize,
}

/// The generator of the whole suite, so that every language draws the same numbers.
pub(crate) struct Draws(u32);

impl Draws {
    pub(crate) fn new() -> Self {
        Self(1)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) as usize % limit
    }
}

/// Files in the order of their names, with their lengths.
pub(crate) fn files(folder: &Path) -> Result<Vec<(CString, usize)>, Failure> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path().into_os_string().into_string();
        let path = path.map_err(|_| "a file's name is not UTF-8")?;
        let metadata = entry.metadata()?;
        if metadata.is_file() {
            files.push((CString::new(path)?, metadata.len() as usize));
        }
    }
    files.sort();
    Ok(files)
}

/// Ranges of up to `len` bytes that cover the files, in file order.
pub(crate) fn in_order(files: &[(CString, usize)], len: usize) -> Vec<Range> {
    let mut ranges = Vec::new();
    for (file, &(_, size)) in files.iter().enumerate() {
        ranges.extend((0..size).step_by(len).map(|offset| Range {
            file,
            offset,
            len: len.min(size - offset),
        }));
    }
    ranges
}

pub(crate) fn shuffled(files: &[(CString, usize)]) -> Vec<Range> {
    let mut ranges = in_order(files, RANGE);
    let mut draws = Draws::new();
    for last in (1..ranges.len()).rev() {
        ranges.swap(last, draws.below(last + 1));
    }
    ranges
}
