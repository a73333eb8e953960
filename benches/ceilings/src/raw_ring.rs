//! `raw-ring`: reads ranges past the page cache through one ring, into fixed slots on huge pages.

use std::ffi::CString;
use std::os::fd::AsRawFd;

use io_uring::{IoUring, opcode, squeue, types};

use crate::Failure;
use crate::arguments::Arguments;
use crate::array::Array;
use crate::files::{BLOCK, open};
use crate::huge_pages::HugePages;
use crate::measurement::{Outcome, Rounds};
use crate::ranges::{self, Range};

/// Reads in flight: 8 are nearly enough at 256 KiB, more do no harm.
const DEPTH: usize = 32;

/// Whole chunk files are read in pieces of this length.
const PIECE: usize = 512 << 10;

pub(crate) fn ranges(arguments: &Arguments) -> Result<(), Failure> {
    let files = ranges::files(&arguments.data_set)?;
    let ranges = ranges::shuffled(&files);
    let bytes = ranges.iter().map(|range| range.len).sum();
    rounds(arguments, &files, &ranges, bytes, true)
}

/// All files of an array. Opening them belongs to the task.
pub(crate) fn whole(arguments: &Arguments, array: &Array) -> Result<(), Failure> {
    let mut files = Vec::new();
    for path in &array.paths {
        files.push((path.clone(), std::fs::metadata(path.to_str()?)?.len() as usize));
    }
    let ranges = ranges::in_order(&files, arguments.option("piece", PIECE)?);
    rounds(arguments, &files, &ranges, array.decoded_bytes(), false)
}

fn rounds(
    arguments: &Arguments,
    files: &[(CString, usize)],
    ranges: &[Range],
    decoded_bytes: usize,
    checked: bool,
) -> Result<(), Failure> {
    let mut ring =
        Ring::new(arguments, ranges.iter().map(|range| range.len).max().unwrap_or(BLOCK))?;
    let mut rounds = Rounds::new(&arguments.task)?;
    for _ in 0..arguments.rounds {
        let running = rounds.start()?;
        let sum = ring.read(files, ranges)?;
        let elapsed = running.stop()?;
        let outcome = Outcome {
            decoded_bytes,
            checksum: checked.then_some(sum),
            more: vec![("storedBytes", ranges.iter().map(|range| range.len).sum())],
            ..Outcome::default()
        };
        rounds.print(&elapsed, &outcome)?;
    }
    Ok(())
}

struct Ring {
    ring: IoUring,
    memory: HugePages,
    slot_len: usize,
    slots: usize,
    fixed: bool,
    /// Completions that are waited for before new reads are submitted.
    batch: usize,
}

impl Ring {
    fn new(arguments: &Arguments, longest: usize) -> Result<Self, Failure> {
        let slots = arguments.option("depth", DEPTH)?;
        let mut builder = IoUring::builder();
        builder.setup_single_issuer();
        if arguments.option("defer", true)? {
            builder.setup_defer_taskrun();
        }
        let ring = builder.build(slots.next_power_of_two() as u32)?;
        let slot_len = longest.next_multiple_of(BLOCK);
        let mut memory = HugePages::new(slots * slot_len)?;
        let slot = |bytes: &mut [u8]| libc::iovec {
            iov_base: bytes.as_mut_ptr().cast(),
            iov_len: bytes.len(),
        };
        let buffers: Vec<_> = memory.bytes_mut().chunks_mut(slot_len).map(slot).collect();
        // SAFETY: the memory lives as long as the ring. Refused where little memory may be locked.
        let fixed = arguments.option("fixed", true)?
            && unsafe { ring.submitter().register_buffers(&buffers) }.is_ok();
        Ok(Self { ring, memory, slot_len, slots, fixed, batch: arguments.option("batch", 1)? })
    }

    /// Reads all ranges and gives the sum of the first and the last byte of each.
    fn read(&mut self, files: &[(CString, usize)], ranges: &[Range]) -> Result<u64, Failure> {
        let mut opened: Vec<Option<std::fs::File>> = (0..files.len()).map(|_| None).collect();
        let mut pending = vec![0; self.slots];
        let mut free: Vec<usize> = (0..self.slots).collect();
        let (mut next, mut done, mut sum) = (0, 0, 0);
        while done < ranges.len() {
            while next < ranges.len()
                && let Some(slot) = free.pop()
            {
                let range = ranges[next];
                if opened[range.file].is_none() {
                    opened[range.file] = Some(open(&files[range.file].0, true)?);
                }
                let Some(file) = &opened[range.file] else { continue };
                let entry = self.entry(slot, file.as_raw_fd(), range);
                // SAFETY: the slot is not touched until its completion has arrived; files stay open.
                unsafe { self.ring.submission().push(&entry) }?;
                pending[slot] = next;
                next += 1;
            }
            let wanted = self.batch.min(next - done);
            self.ring.submit_and_wait(wanted)?;
            for completion in self.ring.completion() {
                let slot = completion.user_data() as usize;
                let range = ranges[pending[slot]];
                if completion.result() != range.len as i32 {
                    return Err(format!("a read gave {}", completion.result()).into());
                }
                let bytes = &self.memory.bytes()[slot * self.slot_len..][..range.len];
                sum += u64::from(bytes[0]) + u64::from(bytes[range.len - 1]);
                free.push(slot);
                done += 1;
            }
        }
        Ok(sum)
    }

    fn entry(&mut self, slot: usize, file: i32, range: Range) -> squeue::Entry {
        let from = slot * self.slot_len;
        let buffer = self.memory.bytes_mut()[from..from + self.slot_len].as_mut_ptr();
        let (file, len) = (types::Fd(file), range.len.next_multiple_of(BLOCK) as u32);
        let offset = range.offset as u64;
        let entry = if self.fixed {
            opcode::ReadFixed::new(file, buffer, len, slot as u16).offset(offset).build()
        } else {
            opcode::Read::new(file, buffer, len).offset(offset).build()
        };
        entry.user_data(slot as u64)
    }
}
