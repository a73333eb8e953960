//! A destination whose surroundings show every byte that is written beside it.

/// Bytes on either side: more than the widest store of a vector unit, and than what LZ4 copies at once.
const GUARD: usize = 64;

/// A destination between bytes that nobody may write.
#[derive(Debug)]
pub struct Guarded {
    bytes: Vec<u8>,
    seed: u8,
}

impl Guarded {
    /// A destination of this length, in a pattern that depends on `seed`.
    #[must_use]
    pub fn new(len: usize, seed: u8) -> Self {
        let bytes = (0..len + 2 * GUARD).map(|at| pattern(seed, at)).collect();
        Self { bytes, seed }
    }

    /// The destination.
    #[must_use]
    pub fn destination(&mut self) -> &mut [u8] {
        let end = self.bytes.len() - GUARD;
        &mut self.bytes[GUARD..end]
    }

    /// Whether a byte of the destination is no longer what it was.
    ///
    /// # Panics
    /// A byte beside the destination has changed.
    #[must_use]
    pub fn is_written(&self) -> bool {
        let inside = GUARD..self.bytes.len() - GUARD;
        let mut is_written = false;
        for (at, &byte) in self.bytes.iter().enumerate() {
            if byte != pattern(self.seed, at) {
                assert!(inside.contains(&at), "byte {at} beside the destination was written");
                is_written = true;
            }
        }
        is_written
    }
}

fn pattern(seed: u8, at: usize) -> u8 {
    (at as u8).wrapping_mul(167).wrapping_add(seed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_shows() {
        let mut guarded = Guarded::new(10, 7);
        assert!(!guarded.is_written());
        guarded.destination()[9] ^= 1;
        assert!(guarded.is_written());
    }

    #[test]
    #[should_panic(expected = "beside the destination")]
    fn what_is_written_behind_it_is_a_panic() {
        let mut guarded = Guarded::new(10, 7);
        guarded.bytes[GUARD + 10] ^= 1;
        let _ = guarded.is_written();
    }
}
