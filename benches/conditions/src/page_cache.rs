//! Files in the page cache: bringing them in, dropping them, and counting what is there.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::ptr;

const PAGE: u64 = 4096;

/// What was found of the files below a folder.
#[derive(Default)]
pub struct Residency {
    pub files: u64,
    pub bytes: u64,
    /// In the page cache, whole pages counted up to the end of the file.
    pub resident_bytes: u64,
}

pub fn drop_files(folder: &Path) -> io::Result<Residency> {
    over_files(folder, |file| {
        // Only pages that the device has can be dropped.
        file.sync_data()?;
        // SAFETY: the call reads and writes no memory of ours.
        match unsafe { libc::posix_fadvise(file.as_raw_fd(), 0, 0, libc::POSIX_FADV_DONTNEED) } {
            0 => Ok(()),
            code => Err(io::Error::from_raw_os_error(code)),
        }
    })
}

pub fn warm_files(folder: &Path) -> io::Result<Residency> {
    let mut buffer = vec![0; 1 << 20];
    over_files(folder, |mut file| {
        while file.read(&mut buffer)? > 0 {}
        Ok(())
    })
}

/// Applies `work` to all files, then counts what of each is resident.
fn over_files(
    folder: &Path,
    mut work: impl FnMut(&File) -> io::Result<()>,
) -> io::Result<Residency> {
    let mut paths = Vec::new();
    files_below(folder, &mut paths)?;
    let mut found = Residency::default();
    for path in &paths {
        work(&File::open(path)?)?;
    }
    for path in &paths {
        let file = File::open(path)?;
        let len = file.metadata()?.len();
        found.files += 1;
        found.bytes += len;
        found.resident_bytes += resident_bytes(&file, len)?;
    }
    Ok(found)
}

fn files_below(folder: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            files_below(&entry.path(), found)?;
        } else {
            found.push(entry.path());
        }
    }
    Ok(())
}

/// By mincore on a mapping of the file, which every kernel has.
fn resident_bytes(file: &File, len: u64) -> io::Result<u64> {
    if len == 0 {
        return Ok(0);
    }
    // SAFETY: a new shared mapping of a file that is open; nothing is read through it.
    let start = unsafe {
        let flags = libc::MAP_SHARED;
        libc::mmap(ptr::null_mut(), len as usize, libc::PROT_READ, flags, file.as_raw_fd(), 0)
    };
    if start == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    let mut pages = vec![0u8; len.div_ceil(PAGE) as usize];
    // SAFETY: the mapping has `len` bytes, and `pages` one byte for each of its pages.
    let counted = unsafe { libc::mincore(start, len as usize, pages.as_mut_ptr()) };
    let error = io::Error::last_os_error();
    // SAFETY: mapped above, and nothing refers to it any more.
    unsafe { libc::munmap(start, len as usize) };
    if counted != 0 {
        return Err(error);
    }
    let resident = pages.iter().zip(0..).filter(|(page, _)| **page & 1 == 1);
    Ok(resident.map(|(_, number)| PAGE.min(len - number * PAGE)).sum())
}
