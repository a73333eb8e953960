//! Rounds of one task: each timed, each a line of JSON.

use std::fs;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use serde_json::json;

use crate::Failure;

/// Of the ticks in /proc/stat: `USER_HZ`, the same on every Linux platform.
const TICKS_PER_SECOND: f64 = 100.0;

/// What a round found.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) decoded_bytes: u64,
    pub(crate) checksum: Option<u64>,
    pub(crate) mean: Option<f64>,
    pub(crate) chunks: u64,
}

/// How often a task is done.
pub(crate) struct Rounds {
    task: String,
    count: u32,
}

impl Rounds {
    pub(crate) fn new(task: &str, count: u32) -> Self {
        Self { task: task.to_owned(), count }
    }

    /// Runs a task round after round. What it gives is timed; the function that it returns is not.
    pub(crate) fn run<F: FnOnce() -> Outcome>(
        &self,
        task: impl Fn() -> Result<F, Failure>,
    ) -> Result<(), Failure> {
        let memory_before = status_bytes("VmRSS:")?;
        for round in 1..=self.count {
            reset_peak_memory()?;
            let (machine, cpu, started) = (machine_cpu_seconds()?, cpu_seconds(), Instant::now());
            let outcome = task()?;
            let seconds = started.elapsed().as_secs_f64();
            let cpu = cpu_seconds() - cpu;
            let machine = machine_cpu_seconds()? - machine;
            let peak = status_bytes("VmHWM:")?.saturating_sub(memory_before);
            let Outcome { decoded_bytes, checksum, mean, chunks } = outcome();
            let line = json!({
                "task": self.task,
                "round": round,
                "seconds": seconds,
                "decodedBytes": decoded_bytes,
                "cpuSeconds": cpu,
                "machineCpuSeconds": machine,
                "peakMemoryBytes": peak,
                "checksum": checksum,
                "mean": mean,
                "chunks": chunks,
            });
            println!("{line}");
        }
        Ok(())
    }
}

/// User and system seconds of this process.
fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::try_from(time).unwrap_or_default().as_secs_f64()
}

/// Seconds that all CPUs were busy since the start of the machine, kernel threads included.
fn machine_cpu_seconds() -> Result<f64, Failure> {
    let text = fs::read_to_string("/proc/stat")?;
    let line = text.lines().next().ok_or("/proc/stat is empty")?;
    let ticks = line.split_whitespace().skip(1).map(str::parse).collect::<Result<Vec<f64>, _>>()?;
    // user, nice, system, irq, softirq
    let busy: f64 = [0, 1, 2, 5, 6].iter().filter_map(|&column| ticks.get(column)).sum();
    Ok(busy / TICKS_PER_SECOND)
}

fn status_bytes(name: &str) -> Result<u64, Failure> {
    let text = fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find(|line| line.starts_with(name));
    let kibibytes = line.and_then(|line| line.split_whitespace().nth(1));
    Ok(kibibytes.ok_or("no such line in /proc/self/status")?.parse::<u64>()? * 1024)
}

/// Lets the peak of resident memory begin anew; where that is forbidden, it goes on from the start.
fn reset_peak_memory() -> Result<(), Failure> {
    match fs::write("/proc/self/clear_refs", "5") {
        Err(error) if error.kind() != std::io::ErrorKind::PermissionDenied => Err(error.into()),
        _ => Ok(()),
    }
}
