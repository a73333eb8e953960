//! One version of one file, open for buffered and, where it can be, for direct reading.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use lsio_io::{Identity, Read};

use crate::stats::Counters;
use crate::unsafe_syscalls::{self, DirectSupport};

/// Largest alignment that direct reads can meet, in bytes: what a read's reservation leaves room for
/// on each side, and what leases are aligned to.
const MAX_ALIGNMENT: u32 = (Read::DIRECT_PADDING / 2) as u32;

/// How a file is opened first. The other way is opened when it is first needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Buffered,
    Direct,
}

/// Alignments of direct reads, in bytes; powers of two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Alignment {
    /// Of the buffer's address.
    pub(crate) memory: usize,
    /// Of offset and length.
    pub(crate) offset: u64,
}

/// A file that is open for direct reading.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DirectFile<'a> {
    pub(crate) file: &'a File,
    pub(crate) alignment: Alignment,
}

/// An open file. It stays readable, with the bytes it had, when its name is given to another file.
#[derive(Debug)]
pub(crate) struct OpenFile {
    path: PathBuf,
    identity: Identity,
    len: u64,
    first: File,
    first_access: Access,
    other: OnceLock<Result<File, io::ErrorKind>>,
    alignment: OnceLock<Option<Alignment>>,
    refuses_direct: AtomicBool,
}

impl OpenFile {
    /// Opens `path`, with `O_DIRECT` if `access` says so and the file system takes it.
    ///
    /// # Errors
    /// The error of open(2); `IsADirectory` and `InvalidInput` for what is not a regular file.
    pub(crate) fn open(path: PathBuf, access: Access, counters: &Counters) -> io::Result<Self> {
        if access == Access::Direct {
            match open_with(&path, libc::O_DIRECT) {
                // Some FUSE file systems refuse the flag.
                Err(error) if refuses_direct(&error) => {
                    let opened = open_with(&path, 0)?;
                    let file = Self::new(path, opened, Access::Buffered, counters)?;
                    file.refuse_direct(counters);
                    return Ok(file);
                }
                opened => {
                    let opened = opened?;
                    // The ring would answer EAGAIN instead of waiting.
                    unsafe_syscalls::clear_nonblocking(&opened)?;
                    return Self::new(path, opened, access, counters);
                }
            }
        }
        let opened = open_with(&path, 0)?;
        Self::new(path, opened, access, counters)
    }

    /// Opens `path` for buffered reading if no device has to be waited for.
    ///
    /// # Errors
    /// As [`OpenFile::open`], and `WouldBlock`.
    pub(crate) fn open_resident(path: PathBuf, counters: &Counters) -> io::Result<Self> {
        let opened = match unsafe_syscalls::open_cached(&path) {
            // A kernel or a seccomp profile without openat2.
            Err(error) if matches!(error.raw_os_error(), Some(libc::ENOSYS | libc::EPERM)) => {
                open_with(&path, 0)?
            }
            opened => opened?,
        };
        Self::new(path, opened, Access::Buffered, counters)
    }

    fn new(
        path: PathBuf,
        first: File,
        first_access: Access,
        counters: &Counters,
    ) -> io::Result<Self> {
        let metadata = first.metadata()?;
        if metadata.is_dir() {
            return Err(io::Error::from_raw_os_error(libc::EISDIR));
        }
        if !metadata.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        counters.opens.add(1);
        Ok(Self {
            path,
            identity: identity(&metadata),
            len: metadata.len(),
            first,
            first_access,
            other: OnceLock::new(),
            alignment: OnceLock::new(),
            refuses_direct: AtomicBool::new(false),
        })
    }

    /// Where it was opened.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Which version this is, as of when it was opened.
    pub(crate) fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Length in bytes, as of when it was opened.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Length in bytes now.
    ///
    /// # Errors
    /// What fstat(2) says.
    pub(crate) fn len_now(&self) -> io::Result<u64> {
        Ok(self.first.metadata()?.len())
    }

    /// Whether nobody has written to the file since it was opened. A new name, or none, is no change.
    ///
    /// # Errors
    /// What fstat(2) says.
    pub(crate) fn is_unchanged(&self) -> io::Result<bool> {
        let now = self.first.metadata()?;
        Ok(match &self.identity {
            Identity::File { size, modified_ns, .. } => {
                now.len() == *size && modified(&now) == *modified_ns
            }
            Identity::Tag(_) | Identity::Weak { .. } | Identity::Version(_) => false,
        })
    }

    /// The file for reading through the page cache.
    ///
    /// # Errors
    /// Why it could not be opened once more.
    pub(crate) fn buffered(&self) -> io::Result<&File> {
        match self.first_access {
            Access::Buffered => Ok(&self.first),
            Access::Direct => self.other(0),
        }
    }

    /// The file for reading with `O_DIRECT`, or `None` where that does not work.
    pub(crate) fn direct(&self, counters: &Counters) -> Option<DirectFile<'_>> {
        if self.refuses_direct.load(Ordering::Relaxed) {
            return None;
        }
        let file = match self.first_access {
            Access::Direct => Ok(&self.first),
            Access::Buffered => self.other(libc::O_DIRECT),
        };
        let Some((file, alignment)) = file.ok().zip(self.alignment()) else {
            self.refuse_direct(counters);
            return None;
        };
        Some(DirectFile { file, alignment })
    }

    /// From now on this file is read through the page cache only.
    pub(crate) fn refuse_direct(&self, counters: &Counters) {
        if !self.refuses_direct.swap(true, Ordering::Relaxed) {
            counters.direct_fallbacks.add(1);
        }
    }

    fn alignment(&self) -> Option<Alignment> {
        *self.alignment.get_or_init(|| match unsafe_syscalls::direct_support(&self.first) {
            DirectSupport::Unsupported => None,
            // A guess that fits nearly every device; EINVAL shows where it does not.
            DirectSupport::Unknown => Some(Alignment { memory: 4096, offset: 4096 }),
            DirectSupport::Aligned { memory, offset } => {
                let fits = |it: u32| it.is_power_of_two() && it <= MAX_ALIGNMENT;
                (fits(memory) && fits(offset))
                    .then(|| Alignment { memory: memory as usize, offset: u64::from(offset) })
            }
        })
    }

    /// Opens the same file a second time, whatever its name means by now.
    fn other(&self, flags: i32) -> io::Result<&File> {
        let open = || match open_with_flags(
            Path::new(&format!("/proc/self/fd/{}", self.first.as_raw_fd())),
            flags,
        ) {
            // No /proc: by name, if that is still this file.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let file = open_with_flags(&self.path, flags)?;
                let same = identity(&file.metadata()?) == self.identity;
                if same { Ok(file) } else { Err(io::ErrorKind::StaleNetworkFileHandle.into()) }
            }
            opened => opened,
        };
        match self.other.get_or_init(|| open().map_err(|error| error.kind())) {
            Ok(file) => Ok(file),
            Err(kind) => Err((*kind).into()),
        }
    }
}

/// Which version `path` leads to now.
///
/// # Errors
/// What stat(2) says.
pub(crate) fn identity_at(path: &Path) -> io::Result<Identity> {
    Ok(identity(&fs::metadata(path)?))
}

/// Whether `error` is how file systems say that they cannot do direct I/O (of this alignment).
pub(crate) fn refuses_direct(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EINVAL | libc::EOPNOTSUPP))
}

fn identity(metadata: &Metadata) -> Identity {
    Identity::File {
        device: metadata.dev(),
        inode: metadata.ino(),
        size: metadata.len(),
        modified_ns: modified(metadata),
        changed_ns: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
    }
}

fn modified(metadata: &Metadata) -> i128 {
    nanoseconds(metadata.mtime(), metadata.mtime_nsec())
}

fn nanoseconds(seconds: i64, nanoseconds: i64) -> i128 {
    i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds)
}

/// Opens for the first time: without waiting for the other end of a FIFO, which is refused later.
fn open_with(path: &Path, flags: i32) -> io::Result<File> {
    open_with_flags(path, flags | libc::O_NONBLOCK | libc::O_NOCTTY)
}

fn open_with_flags(path: &Path, flags: i32) -> io::Result<File> {
    // The standard library adds O_CLOEXEC.
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}
