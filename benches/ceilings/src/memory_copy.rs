//! `memcpy`: copies as many bytes as the array has, from huge pages to huge pages, on all cores.

use crate::Failure;
use crate::arguments::Arguments;
use crate::array::Array;
use crate::huge_pages::HugePages;
use crate::measurement::{Outcome, Rounds};
use crate::placement::{Stores, copy_row, end_of_streaming};
use crate::shared_bytes::SharedBytes;
use crate::threads::{Counter, cores, on_threads};

/// Bytes that a thread takes at a time.
const PART: usize = 4 << 20;

pub(crate) fn copy(arguments: &Arguments, array: &Array) -> Result<(), Failure> {
    let len = array.decoded_bytes();
    let (mut from, mut into) = (HugePages::new(len)?, HugePages::new(len)?);
    from.bytes_mut().fill(1);
    into.bytes_mut().fill(2);
    let stores = match arguments.option("stores", "streaming".to_owned())?.as_str() {
        "cached" => Stores::Cached,
        _ => Stores::Streaming,
    };
    let mut threads = vec![(); arguments.option("threads", cores())?];
    let mut rounds = Rounds::new(&arguments.task)?;
    for _ in 0..arguments.rounds {
        let running = rounds.start()?;
        let counter = Counter::default();
        let (source, target) = (from.bytes(), SharedBytes::new(into.bytes_mut()));
        on_threads(&mut threads, |()| {
            while let Some(part) = source.chunks(PART).nth(counter.next()) {
                let offset = part.as_ptr() as usize - source.as_ptr() as usize;
                let target = target.at(offset, part.len());
                // SAFETY: parts are disjoint, and the two mappings are.
                unsafe { copy_row(part.as_ptr(), target, part.len(), stores) };
            }
            end_of_streaming();
            Ok(())
        })?;
        let elapsed = running.stop()?;
        rounds.print(&elapsed, &Outcome { decoded_bytes: len, ..Outcome::default() })?;
    }
    Ok(())
}
