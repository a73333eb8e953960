//! `reduce`: the sum of elements in double precision, and how fast it is over memory that is hot.

use crate::Failure;
use crate::arguments::Arguments;
use crate::array::{Array, Element};
use crate::huge_pages::HugePages;
use crate::measurement::{Outcome, Rounds};
use crate::threads::{cores, on_threads};

/// Independent sums, so that additions do not wait for each other.
const LANES: usize = 32;

/// Sum of all elements.
pub(crate) fn sum(element: Element, bytes: &[u8]) -> f64 {
    match element {
        Element::Uint8 => lanes(bytes, |[byte]: [u8; 1]| f64::from(byte)),
        Element::Int16 => lanes(bytes, |two| f64::from(i16::from_le_bytes(two))),
        Element::Uint16 => lanes(bytes, |two| f64::from(u16::from_le_bytes(two))),
        Element::Float32 => lanes(bytes, |four| f64::from(f32::from_le_bytes(four))),
    }
}

#[inline(always)]
fn lanes<const SIZE: usize>(bytes: &[u8], value: impl Fn([u8; SIZE]) -> f64) -> f64 {
    let (elements, _) = bytes.as_chunks::<SIZE>();
    let (steps, rest) = elements.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for step in steps {
        for lane in 0..LANES {
            sums[lane] += value(step[lane]);
        }
    }
    sums.iter().sum::<f64>() + rest.iter().map(|&element| value(element)).sum::<f64>()
}

/// The kernel over decoded chunks that stay in the cache.
pub(crate) fn on_hot_memory(arguments: &Arguments, array: &Array) -> Result<(), Failure> {
    let threads = arguments.option("threads", cores())?;
    let chunk = array.chunk_bytes();
    let times = array.decoded_bytes() / chunk / threads;
    let one = |_| {
        let mut buffer = HugePages::new(chunk)?;
        buffer.bytes_mut().fill(1);
        Ok::<_, Failure>(buffer)
    };
    let mut buffers = (0..threads).map(one).collect::<Result<Vec<_>, _>>()?;
    let mut rounds = Rounds::new(&arguments.task)?;
    for _ in 0..arguments.rounds {
        let running = rounds.start()?;
        let sums = on_threads(&mut buffers, |buffer| {
            Ok((0..times)
                .map(|_| sum(array.element, std::hint::black_box(buffer.bytes())))
                .sum::<f64>())
        })?;
        let elapsed = running.stop()?;
        let decoded_bytes = times * chunk * threads;
        let elements = (decoded_bytes / array.element.size()) as f64;
        let mean = Some(sums.iter().sum::<f64>() / elements);
        rounds.print(&elapsed, &Outcome { decoded_bytes, mean, ..Outcome::default() })?;
    }
    Ok(())
}
