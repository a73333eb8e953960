//! What reads bytes that it cannot trust, and the check that no bytes do harm to it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::{available_parallelism, scope};

use crate::Random;
use crate::row::{HEAD, Row};
use crate::virtual_memory::mapped;

/// Inputs of a row unless the environment says otherwise.
const INPUTS: u64 = 10_000;

/// Most bytes that the process may map beyond what it had, for each thread: an xz stream may ask for 256 MiB
/// (`XZ_MEMORY_LIMIT` in `lsio_codecs`), the C library reserves 128 MiB for the heap of a thread.
const MOST_MAPPED_PER_THREAD: u64 = 512 << 20;

/// What became of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It decoded to something.
    Decoded,
    /// It was refused after it had passed the checks of headers and checksums: as seen from outside, some of
    /// what it decodes to was already there.
    InBody,
    /// It was refused before.
    Refused,
}

/// Something that reads bytes it cannot trust.
pub trait Target: Send + Sync {
    /// Its row in the table; several targets may share one, and then share its inputs.
    fn row(&self) -> String;

    /// Bytes that decode.
    fn sample(&self, random: &mut Random) -> Vec<u8>;

    /// Bytes that somebody made who knows the format: parts of a sample are changed, and the lengths and
    /// checksums around them fit, unless just those are forged.
    fn forge(&self, random: &mut Random) -> Vec<u8>;

    /// Decodes an input. Panics where that gave or did something that no input may.
    fn decode(&self, input: &[u8]) -> Outcome;

    /// Most bytes that [`Target::decode`] may hold at once for an input of this length, as far as Rust's allocator
    /// knows.
    fn most_memory(&self, input_len: u64) -> u64;
}

/// Hands every target its inputs, on all cores, and prints a row for each decoder.
///
/// # Panics
/// An input did harm, a sample did not decode, or no forged input reached the body of a decoder.
pub fn check(targets: &[Box<dyn Target>]) {
    let inputs = setting("LSIO_MUTATIONS", INPUTS);
    let part = setting("LSIO_MUTATIONS_PART", 0);
    let rows = rows(targets, part);
    let threads = available_parallelism().map_or(1, usize::from).min(rows.len());
    let allowed = mapped().map(|(now, _)| now + MOST_MAPPED_PER_THREAD * threads as u64);
    println!("{HEAD}");
    let (next, failures) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || {
        while let Some((name, targets)) = rows.get(next.fetch_add(1, Ordering::Relaxed)) {
            let mut row = Row::of(name.clone(), targets, inputs);
            println!("{}", row.text());
            if let (Some(allowed), Some((_, most))) = (allowed, mapped())
                && most > allowed
            {
                // Or a row that another thread is at.
                row.failures.push(format!("{name}: {most} bytes mapped, {allowed} are allowed"));
            }
            failures.lock().unwrap_or_else(PoisonError::into_inner).extend(row.failures);
        }
    };
    scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    let failures = failures.into_inner().unwrap_or_else(PoisonError::into_inner);
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// A number from the environment.
fn setting(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(number) => number.parse().unwrap_or_else(|_| panic!("{name} is '{number}'")),
        Err(_) => default,
    }
}

type Rows<'a> = Vec<(String, Vec<(u64, &'a dyn Target)>)>;

/// The targets by their rows, each with a seed of its own for each part.
fn rows(targets: &[Box<dyn Target>], part: u64) -> Rows<'_> {
    let mut rows = Rows::new();
    for (number, target) in targets.iter().enumerate() {
        let target = (part << 16 | number as u64, target.as_ref());
        match rows.iter_mut().find(|(name, _)| *name == target.1.row()) {
            Some((_, targets)) => targets.push(target),
            None => rows.push((target.1.row(), vec![target])),
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CountingAllocator;

    #[global_allocator]
    static ALLOCATOR: CountingAllocator = CountingAllocator;

    /// Four bytes and their sum.
    struct Summed {
        panics_at: Option<u8>,
        takes: usize,
    }

    impl Target for Summed {
        fn row(&self) -> String {
            "summed".to_owned()
        }

        fn sample(&self, random: &mut Random) -> Vec<u8> {
            let mut bytes = random.bytes(4).iter().map(|byte| byte / 2).collect::<Vec<_>>();
            bytes.push(bytes.iter().fold(0, |sum, byte| sum ^ byte));
            bytes
        }

        fn forge(&self, random: &mut Random) -> Vec<u8> {
            let mut bytes = random.bytes(4);
            bytes.push(bytes.iter().fold(0, |sum, byte| sum ^ byte));
            bytes
        }

        fn decode(&self, input: &[u8]) -> Outcome {
            let _taken = std::hint::black_box(vec![0u8; self.takes]);
            if input.len() != 5 || input.iter().fold(0, |sum, byte| sum ^ byte) != 0 {
                return Outcome::Refused;
            }
            assert_ne!(Some(input[2]), self.panics_at);
            Outcome::Decoded
        }

        fn most_memory(&self, _: u64) -> u64 {
            100
        }
    }

    fn failures(target: &Summed) -> Vec<String> {
        Row::of(target.row(), &[(1, target)], 10_000).failures
    }

    #[test]
    fn a_panic_behind_a_checksum_is_found() {
        assert_eq!(failures(&Summed { panics_at: None, takes: 100 }), Vec::<String>::new());
        // Samples do not have it; forged inputs do.
        let found = failures(&Summed { panics_at: Some(200), takes: 0 });
        assert!(
            found.len() == 1 && found[0].contains("summed: a panic for 5 bytes: "),
            "{found:?}"
        );
    }

    #[test]
    fn too_much_memory_is_found() {
        let found = failures(&Summed { panics_at: None, takes: 101 });
        assert!(found[0].contains("101 bytes of memory taken"), "{found:?}");
    }

    #[test]
    fn targets_share_the_inputs_of_a_row() {
        let one = || Box::new(Summed { panics_at: None, takes: 0 }) as Box<dyn Target>;
        let targets = [one(), one(), one()];
        assert_eq!(rows(&targets, 1)[0].1[2].0, 0x1_0002);
        let rows = rows(&targets, 0);
        assert_eq!(rows.len(), 1);
        let row = Row::of("summed".to_owned(), &rows[0].1, 300);
        assert!(
            row.text().starts_with(&format!("{:32} {:8} {:8}", "summed", 300, 150)),
            "{}",
            row.text()
        );
    }
}
