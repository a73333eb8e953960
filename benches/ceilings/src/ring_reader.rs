//! A decoding thread's own ring: O_DIRECT reads stay in flight while the thread decodes.

use std::os::fd::AsRawFd;

use io_uring::{IoUring, opcode, types};

use crate::Failure;
use crate::arguments::Arguments;
use crate::array::Array;
use crate::files::{BLOCK, Files, Unit};
use crate::huge_pages::HugePages;
use crate::threads::Counter;

/// Encoded bytes in flight on each thread; the device is busy from about 2 MiB on.
const IN_FLIGHT_BYTES: usize = 8 << 20;

pub(crate) struct RingReader {
    ring: IoUring,
    memory: HugePages,
    slot_len: usize,
    slots: usize,
    fixed: bool,
}

struct InFlight<'a> {
    unit: Unit<'a>,
    /// First byte of the unit within the slot.
    skip: usize,
    start: usize,
    filled: usize,
    wanted: usize,
}

impl RingReader {
    pub(crate) fn several(
        count: usize,
        array: &Array,
        arguments: &Arguments,
    ) -> Result<Vec<Self>, Failure> {
        let slot_len = Files::new(array, true).unit_bound();
        let default = (IN_FLIGHT_BYTES / slot_len).clamp(4, 32);
        let slots = arguments.option("depth", default)?;
        let one = |_| {
            let ring =
                IoUring::builder().setup_coop_taskrun().build(slots.next_power_of_two() as u32)?;
            let mut memory = HugePages::new(slots * slot_len)?;
            let buffers: Vec<libc::iovec> = memory
                .bytes_mut()
                .chunks_mut(slot_len)
                .map(|slot| libc::iovec { iov_base: slot.as_mut_ptr().cast(), iov_len: slot.len() })
                .collect();
            // SAFETY: the memory lives as long as the ring. Refused where little memory may be locked.
            let fixed = arguments.option("fixed", true)?
                && unsafe { ring.submitter().register_buffers(&buffers) }.is_ok();
            Ok(Self { ring, memory, slot_len, slots, fixed })
        };
        (0..count).map(one).collect()
    }

    /// Calls `take(unit, bytes at the unit's offset)` for units until the counter has passed the last one.
    pub(crate) fn run(
        &mut self,
        files: &Files<'_>,
        counter: &Counter,
        mut take: impl FnMut(&Unit<'_>, &[u8]) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut in_flight: Vec<Option<InFlight<'_>>> = (0..self.slots).map(|_| None).collect();
        let mut free: Vec<usize> = (0..self.slots).collect();
        let mut more = true;
        loop {
            while more && let Some(slot) = free.pop() {
                match files.unit(counter.next()) {
                    Ok(Some(unit)) => {
                        let start = unit.offset / BLOCK * BLOCK;
                        let skip = unit.offset - start;
                        let wanted = (skip + unit.len).next_multiple_of(BLOCK);
                        in_flight[slot] = Some(InFlight { unit, skip, start, filled: 0, wanted });
                        self.push(slot, &in_flight)?;
                    }
                    Ok(None) => more = false,
                    Err(error) => return self.drain(free.len() + 1, Err(error)),
                }
            }
            if in_flight.iter().all(Option::is_none) {
                return Ok(());
            }
            self.ring.submit()?;
            let mut completion = self.ring.completion().next();
            while completion.is_none() {
                self.ring.submit_and_wait(1)?;
                completion = self.ring.completion().next();
            }
            let Some(completion) = completion else { continue };
            let slot = completion.user_data() as usize;
            let Some(mut read) = in_flight[slot].take() else { continue };
            let len = completion.result();
            if len < 0 {
                free.push(slot);
                return self.drain(free.len(), Err(std::io::Error::from_raw_os_error(-len).into()));
            }
            let len = len as usize;
            read.filled += len;
            // A read that ends within a block has met the end of the file.
            if len != 0 && read.filled < read.wanted && read.filled.is_multiple_of(BLOCK) {
                in_flight[slot] = Some(read);
                self.push(slot, &in_flight)?;
                continue;
            }
            let from = slot * self.slot_len;
            let bytes = &self.memory.bytes()[from + read.skip..from + read.filled.max(read.skip)];
            let bytes = &bytes[..bytes.len().min(read.unit.len)];
            if let Err(error) = take(&read.unit, bytes) {
                free.push(slot);
                return self.drain(free.len(), Err(error));
            }
            free.push(slot);
        }
    }

    fn push(&mut self, slot: usize, in_flight: &[Option<InFlight<'_>>]) -> Result<(), Failure> {
        let Some(read) = &in_flight[slot] else { return Ok(()) };
        let from = slot * self.slot_len + read.filled;
        let len = (read.wanted - read.filled) as u32;
        let buffer = self.memory.bytes_mut()[from..from + len as usize].as_mut_ptr();
        let file = types::Fd(read.unit.file().as_raw_fd());
        let offset = (read.start + read.filled) as u64;
        let entry = if self.fixed {
            opcode::ReadFixed::new(file, buffer, len, slot as u16).offset(offset).build()
        } else {
            opcode::Read::new(file, buffer, len).offset(offset).build()
        };
        // SAFETY: the slot is not used until its completion has arrived; the file is kept as long.
        unsafe { self.ring.submission().push(&entry.user_data(slot as u64)) }?;
        self.ring.submit()?;
        Ok(())
    }

    /// Waits for all reads before memory and files are given up after an error.
    fn drain(&mut self, free: usize, result: Result<(), Failure>) -> Result<(), Failure> {
        for _ in free..self.slots {
            while self.ring.completion().next().is_none() {
                self.ring.submit_and_wait(1)?;
            }
        }
        result
    }
}
