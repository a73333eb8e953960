//! Turns of the runs behind the oldest: work of one run alone may last for hours, and what was asked for
//! meanwhile should not wait as long.

/// Times that one run may start work in a row. Each is a bundle, of some 0.5 ms on a worker where chunks are short
/// and 10 ms where they have 8 MiB, so that another run starts after 10 to 200 ms.
const IN_A_ROW: u32 = 16;

/// For whom one worker has started work: each counts for itself, so that none writes where others look.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    /// The run that started work last, and how often in a row.
    run: u64,
    in_a_row: u32,
    /// The run that had the last turn.
    given: u64,
}

/// A turn of somebody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Turn {
    /// The run that has started enough.
    pub(crate) of: u64,
    /// The turn is that of the first run behind this one, or else of the first one behind `of`.
    pub(crate) behind: u64,
}

impl Turns {
    /// Counts that a run has started work.
    pub(crate) fn started(&mut self, run: u64) {
        self.in_a_row = if self.run == run { self.in_a_row + 1 } else { 1 };
        self.run = run;
    }

    /// Whether it is the turn of another run than the oldest.
    pub(crate) fn due(&mut self) -> Option<Turn> {
        if self.in_a_row < IN_A_ROW {
            return None;
        }
        self.in_a_row = 0;
        Some(Turn { of: self.run, behind: self.given.max(self.run) })
    }

    /// Remembers who has the turn.
    pub(crate) fn give(&mut self, run: u64) {
        self.given = run;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_is_due_after_starts_of_one_run_in_a_row() {
        let mut turns = Turns::default();
        let start = |turns: &mut Turns| (0..IN_A_ROW - 1).for_each(|_| turns.started(5));
        start(&mut turns);
        turns.started(6);
        start(&mut turns);
        assert_eq!(turns.due(), None);
        turns.started(5);
        assert_eq!(turns.due(), Some(Turn { of: 5, behind: 5 }));
        assert_eq!(turns.due(), None);
        turns.give(9);
        start(&mut turns);
        turns.started(5);
        assert_eq!(turns.due(), Some(Turn { of: 5, behind: 9 }));
    }
}
