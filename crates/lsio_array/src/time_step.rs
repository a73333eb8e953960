//! What one step of a time type is: a unit and how many of them.

use std::fmt;

/// A unit of time, by NumPy's name for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimeUnit {
    /// Years.
    Year,
    /// Months.
    Month,
    /// Weeks.
    Week,
    /// Days.
    Day,
    /// Hours.
    Hour,
    /// Minutes.
    Minute,
    /// Seconds.
    Second,
    /// 10^-3 s.
    Millisecond,
    /// 10^-6 s.
    Microsecond,
    /// 10^-9 s.
    Nanosecond,
    /// 10^-12 s.
    Picosecond,
    /// 10^-15 s.
    Femtosecond,
    /// 10^-18 s.
    Attosecond,
    /// Not stated.
    Generic,
}

/// Units with their names. Specification: Zarr extension `numpy.datetime64`, "Unit".
const NAMES: [(TimeUnit, &str); 14] = [
    (TimeUnit::Year, "Y"),
    (TimeUnit::Month, "M"),
    (TimeUnit::Week, "W"),
    (TimeUnit::Day, "D"),
    (TimeUnit::Hour, "h"),
    (TimeUnit::Minute, "m"),
    (TimeUnit::Second, "s"),
    (TimeUnit::Millisecond, "ms"),
    (TimeUnit::Microsecond, "us"),
    (TimeUnit::Nanosecond, "ns"),
    (TimeUnit::Picosecond, "ps"),
    (TimeUnit::Femtosecond, "fs"),
    (TimeUnit::Attosecond, "as"),
    (TimeUnit::Generic, "generic"),
];

impl TimeUnit {
    /// The unit with this name. Microseconds also have names with a micro sign and with a mu.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let name = if matches!(name, "\u{b5}s" | "\u{3bc}s") { "us" } else { name };
        NAMES.iter().find(|(_, known)| *known == name).map(|(unit, _)| *unit)
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(unit, _)| *unit == self).map_or("generic", |(_, name)| name)
    }
}

/// The step that 1 stands for in a time type, such as 25 seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TimeStep {
    unit: TimeUnit,
    scale_factor: u32,
}

impl TimeStep {
    /// `scale_factor` units; `None` unless it is in 1..=2^31 - 1, the limits of NumPy.
    #[must_use]
    pub fn new(unit: TimeUnit, scale_factor: u64) -> Option<Self> {
        let scale_factor = i32::try_from(scale_factor).ok().filter(|factor| *factor > 0)?;
        Some(Self { unit, scale_factor: scale_factor.unsigned_abs() })
    }

    /// The unit.
    #[must_use]
    pub fn unit(self) -> TimeUnit {
        self.unit
    }

    /// How many units make one step.
    #[must_use]
    pub fn scale_factor(self) -> u32 {
        self.scale_factor
    }
}

impl fmt::Display for TimeStep {
    /// As NumPy writes it in brackets: `ns`, `25s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.scale_factor != 1 {
            write!(f, "{}", self.scale_factor)?;
        }
        f.write_str(self.unit.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_found_by_their_names() {
        for (unit, name) in NAMES {
            assert_eq!(TimeUnit::from_name(name), Some(unit));
            assert_eq!(unit.name(), name);
        }
        assert_eq!(TimeUnit::from_name("\u{b5}s"), Some(TimeUnit::Microsecond));
        assert_eq!(TimeUnit::from_name("\u{3bc}s"), Some(TimeUnit::Microsecond));
        assert_eq!(TimeUnit::from_name("sec"), None);
    }

    #[test]
    fn scale_factors_are_those_of_numpy() {
        let step = |factor| TimeStep::new(TimeUnit::Second, factor);
        assert_eq!(step(25).map(|step| step.to_string()).as_deref(), Some("25s"));
        assert_eq!(step(1).map(|step| step.to_string()).as_deref(), Some("s"));
        assert!(step(0x7fff_ffff).is_some());
        assert!(step(0).is_none() && step(1 << 31).is_none() && step(u64::MAX).is_none());
    }
}
