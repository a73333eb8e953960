//! The command line: `ceilings PROGRAM TASK DATASET ROUNDS [key=value ...]`.

use std::collections::HashMap;
use std::path::PathBuf;
use std::str::FromStr;

use crate::Failure;

pub(crate) struct Arguments {
    pub(crate) program: String,
    pub(crate) task: String,
    pub(crate) data_set: PathBuf,
    pub(crate) rounds: usize,
    options: HashMap<String, String>,
}

impl Arguments {
    pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, Failure> {
        let arguments: Vec<String> = arguments.collect();
        let [program, task, data_set, rounds, options @ ..] = &arguments[..] else {
            return Err("usage: ceilings PROGRAM TASK DATASET ROUNDS [key=value ...]".into());
        };
        let pair = |text: &String| -> Result<(String, String), Failure> {
            let (key, value) = text.split_once('=').ok_or("expected key=value")?;
            Ok((key.to_owned(), value.to_owned()))
        };
        Ok(Self {
            program: program.clone(),
            task: task.clone(),
            data_set: data_set.into(),
            rounds: rounds.parse()?,
            options: options.iter().map(pair).collect::<Result<_, _>>()?,
        })
    }

    /// The value of an option, or `default` when it was not given.
    pub(crate) fn option<T: FromStr>(&self, key: &str, default: T) -> Result<T, Failure> {
        match self.options.get(key) {
            None => Ok(default),
            Some(text) => Ok(text.parse().map_err(|_| format!("{key}={text}: not understood"))?),
        }
    }
}
