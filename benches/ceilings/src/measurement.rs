//! One timed region and the JSON line that it becomes.

use std::time::Instant;
use std::{fs, io};

use serde_json::{Map, Value, json};

use crate::Failure;

/// What a round found, beside the time it took.
#[derive(Default)]
pub(crate) struct Outcome {
    /// Bytes of decoded elements that the task is about.
    pub(crate) decoded_bytes: usize,
    pub(crate) checksum: Option<u64>,
    pub(crate) mean: Option<f64>,
    /// Fields that a task adds, such as `storedBytes`.
    pub(crate) more: Vec<(&'static str, usize)>,
}

/// Counts rounds and remembers the memory that the process had before the first one.
pub(crate) struct Rounds {
    task: String,
    round: usize,
    resident_before: usize,
}

impl Rounds {
    pub(crate) fn new(task: &str) -> Result<Self, Failure> {
        let resident_before = status_bytes("VmRSS:")?;
        Ok(Self { task: task.to_owned(), round: 0, resident_before })
    }

    /// Resets the high-water mark of memory and starts the clocks of the next round.
    pub(crate) fn start(&self) -> Result<Running, Failure> {
        // Where that is forbidden, the mark is that of the whole life.
        if let Err(error) = fs::write("/proc/self/clear_refs", "5")
            && error.kind() != io::ErrorKind::PermissionDenied
        {
            return Err(error.into());
        }
        Ok(Running { machine: machine_cpu_seconds()?, cpu: cpu_seconds(), started: Instant::now() })
    }

    pub(crate) fn print(&mut self, elapsed: &Elapsed, outcome: &Outcome) -> Result<(), Failure> {
        self.round += 1;
        let peak = status_bytes("VmHWM:")?.saturating_sub(self.resident_before);
        let mut line = Map::new();
        line.insert("task".into(), json!(self.task));
        line.insert("round".into(), json!(self.round));
        line.insert("seconds".into(), json!(elapsed.seconds));
        line.insert("decodedBytes".into(), json!(outcome.decoded_bytes));
        line.insert("cpuSeconds".into(), json!(elapsed.cpu_seconds));
        line.insert("machineCpuSeconds".into(), json!(elapsed.machine_cpu_seconds));
        line.insert("peakMemoryBytes".into(), json!(peak));
        line.insert("checksum".into(), json!(outcome.checksum));
        if let Some(mean) = outcome.mean {
            line.insert("mean".into(), json!(mean));
        }
        for (name, value) in &outcome.more {
            line.insert((*name).into(), json!(value));
        }
        println!("{}", Value::Object(line));
        Ok(())
    }
}

pub(crate) struct Running {
    started: Instant,
    cpu: f64,
    machine: f64,
}

pub(crate) struct Elapsed {
    seconds: f64,
    cpu_seconds: f64,
    machine_cpu_seconds: f64,
}

impl Running {
    pub(crate) fn stop(self) -> Result<Elapsed, Failure> {
        let seconds = self.started.elapsed().as_secs_f64();
        let cpu_seconds = cpu_seconds() - self.cpu;
        Ok(Elapsed {
            seconds,
            cpu_seconds,
            machine_cpu_seconds: machine_cpu_seconds()? - self.machine,
        })
    }
}

fn cpu_seconds() -> f64 {
    // SAFETY: an all-zero rusage is a valid value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: the pointer is to a live rusage.
    unsafe { libc::getrusage(libc::RUSAGE_SELF, &raw mut usage) };
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    seconds(usage.ru_utime) + seconds(usage.ru_stime)
}

/// Busy time of all CPUs: user, nice, system, irq and softirq.
fn machine_cpu_seconds() -> Result<f64, Failure> {
    let text = fs::read_to_string("/proc/stat")?;
    let line = text.lines().next().ok_or("/proc/stat is empty")?;
    let ticks: Vec<f64> =
        line.split_whitespace().skip(1).map(str::parse).collect::<Result<_, _>>()?;
    let busy: f64 = [0, 1, 2, 5, 6].iter().filter_map(|&column| ticks.get(column)).sum();
    // SAFETY: sysconf has no preconditions.
    let ticks_per_second = unsafe { libc::sysconf(libc::_SC_CLK_TCK) };
    Ok(busy / ticks_per_second as f64)
}

fn status_bytes(name: &str) -> Result<usize, Failure> {
    let text = fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find(|line| line.starts_with(name));
    let kibibytes = line.and_then(|line| line.split_whitespace().nth(1));
    Ok(kibibytes.ok_or("no such line in /proc/self/status")?.parse::<usize>()? * 1024)
}
