//! Sets what a measurement depends on, outside of the program that is measured.
//!
//! - `conditions drop FOLDER`: writes all files below a folder to the device, drops them from the page
//!   cache and shows that they are gone: `{ "files", "bytes", "residentBytes" }`. It fails if more than a
//!   hundredth stays.
//! - `conditions warm FOLDER`: reads them all, with the same output; it fails if not all of them stay.
//! - `conditions hold BYTES`: touches so much memory at each line `hold` on standard input, gives it back
//!   to the kernel at each line `release`, and answers with the same word. Other lines and the end of the
//!   input end it.
//! - `conditions touch BYTES`: seconds that a fresh process needs to touch so much memory once.

mod memory;
mod page_cache;

use std::error::Error;
use std::io::{BufRead, Write};
use std::path::Path;
use std::time::Instant;

use memory::Memory;
use page_cache::Residency;

type Failure = Box<dyn Error>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [command, operand] = &arguments[..] else {
        return Err("usage: conditions drop|warm FOLDER, or conditions hold|touch BYTES".into());
    };
    match command.as_str() {
        "drop" => {
            let found = page_cache::drop_files(Path::new(operand))?;
            print(&found);
            if found.resident_bytes > found.bytes / 100 {
                return Err(format!("{operand} stays in the page cache").into());
            }
            Ok(())
        }
        "warm" => {
            let found = page_cache::warm_files(Path::new(operand))?;
            print(&found);
            // The kernel may take a few pages back in between.
            if found.resident_bytes < found.bytes - found.bytes / 100 {
                return Err(format!("{operand} does not stay in the page cache").into());
            }
            Ok(())
        }
        "hold" => hold(operand.parse()?),
        "touch" => {
            let started = Instant::now();
            let memory = Memory::touched(operand.parse()?)?;
            println!("{{\"seconds\":{}}}", started.elapsed().as_secs_f64());
            drop(memory);
            Ok(())
        }
        other => Err(format!("unknown command '{other}'").into()),
    }
}

fn print(found: &Residency) {
    let Residency { files, bytes, resident_bytes } = found;
    println!("{{\"files\":{files},\"bytes\":{bytes},\"residentBytes\":{resident_bytes}}}");
}

fn hold(bytes: usize) -> Result<(), Failure> {
    let mut held = None;
    let mut answers = std::io::stdout();
    for line in std::io::stdin().lock().lines() {
        match line?.as_str() {
            "hold" if held.is_none() => held = Some(Memory::touched(bytes)?),
            "hold" => {}
            "release" => held = None,
            _ => break,
        }
        answers.write_all(if held.is_some() { b"hold\n" } else { b"release\n" })?;
        answers.flush()?;
    }
    Ok(())
}
