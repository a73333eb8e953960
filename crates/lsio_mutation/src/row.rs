//! A row of the table: what became of the inputs of one decoder.

use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::allocation::most_during;
use crate::{Outcome, Random, Target, damage};

/// Samples of each target that must decode as they are.
const SAMPLES: usize = 20;

/// Most bytes of an input that a message shows.
const SHOWN: usize = 4096;

/// How many of some inputs went how far.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    inputs: u64,
    in_body: u64,
    decoded: u64,
}

/// What became of the inputs of one decoder.
#[derive(Debug, Default)]
pub(crate) struct Row {
    name: String,
    damaged: Counts,
    forged: Counts,
    most_memory: u64,
    /// What went wrong.
    pub(crate) failures: Vec<String>,
}

/// What stands above the rows.
pub(crate) const HEAD: &str = "decoder                            inputs   forged | in the body: damaged   forged \
                               | decoded | refused | most memory";

impl Row {
    /// Runs `inputs` inputs through targets that share a row.
    pub(crate) fn of(name: String, targets: &[(u64, &dyn Target)], inputs: u64) -> Self {
        let mut row = Self { name, ..Self::default() };
        let each = inputs.div_ceil(targets.len() as u64);
        for (seed, target) in targets {
            let mut random = Random::new(seed << 32);
            for _ in 0..SAMPLES {
                let sample = target.sample(&mut random);
                if row.decode(*target, &sample) != Some(Outcome::Decoded) {
                    row.fail("a sample does not decode", &sample);
                    break;
                }
            }
            for number in 0..each {
                let is_forged = number % 2 == 1;
                let input = if is_forged {
                    target.forge(&mut random)
                } else {
                    let mut sample = target.sample(&mut random);
                    damage(&mut random, &mut sample);
                    sample
                };
                // One message says enough of a target.
                let Some(outcome) = row.decode(*target, &input) else { break };
                let counts = if is_forged { &mut row.forged } else { &mut row.damaged };
                counts.inputs += 1;
                counts.in_body += u64::from(outcome != Outcome::Refused);
                counts.decoded += u64::from(outcome == Outcome::Decoded);
            }
        }
        if row.forged.in_body == 0 || row.damaged.inputs == 0 {
            row.failures.push(format!("{}: no forged input reached its body", row.name));
        }
        row
    }

    /// What became of an input; `None` where it did harm.
    fn decode(&mut self, target: &dyn Target, input: &[u8]) -> Option<Outcome> {
        let (result, memory) =
            most_during(|| catch_unwind(AssertUnwindSafe(|| target.decode(input))));
        let Ok(outcome) = result else {
            self.fail("a panic", input);
            return None;
        };
        self.most_memory = self.most_memory.max(memory);
        if memory > target.most_memory(input.len() as u64) {
            self.fail(&format!("{memory} bytes of memory taken"), input);
            return None;
        }
        Some(outcome)
    }

    fn fail(&mut self, what: &str, input: &[u8]) {
        let mut shown = String::new();
        for byte in input.iter().take(SHOWN) {
            // A String takes everything.
            let _ = write!(shown, "{byte:02x}");
        }
        self.failures.push(format!("{}: {what} for {} bytes: {shown}", self.name, input.len()));
    }

    /// The row as text below [`HEAD`].
    pub(crate) fn text(&self) -> String {
        let Self { name, damaged, forged, most_memory, .. } = self;
        let (inputs, decoded) = (damaged.inputs + forged.inputs, damaged.decoded + forged.decoded);
        format!(
            "{name:32} {inputs:8} {:8} | {:20} {:8} | {decoded:7} | {:7} | {most_memory:11}",
            forged.inputs,
            damaged.in_body,
            forged.in_body,
            inputs - damaged.in_body - forged.in_body,
        )
    }
}
