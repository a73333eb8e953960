//! What is to go wrong: rules, each with the requests that it is for and a fault.

use serde::{Deserialize, Serialize};

/// Faults by rule. The plan of a new proxy is empty: everything passes.
///
/// As JSON: `{"seed": 1, "rules": [{"path": "/c/", "fraction": 0.01, "fault": {"status": {"status": 503}}}]}`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Plan {
    /// What the lots of [`Rule::fraction`] follow from.
    pub seed: u64,
    /// All rules that a request matches apply to it.
    pub rules: Vec<Rule>,
}

/// A fault, and which requests suffer it: those that all conditions hold for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rule {
    /// Only requests with this method.
    #[serde(default)]
    pub method: Option<String>,
    /// Only requests with this text in their path and query.
    #[serde(default)]
    pub path: Option<String>,
    /// Only requests that come while more than so many are under way, with themselves.
    #[serde(default)]
    pub above_in_flight: u64,
    /// Not the first so many requests of each path.
    #[serde(default)]
    pub after: u64,
    /// Only the first so many of the requests that are left.
    #[serde(default)]
    pub first: Option<u64>,
    /// Of those this part, drawn by lot: from 0 (none) to 1 (all).
    #[serde(default = "all")]
    pub fraction: f64,
    /// What they suffer.
    pub fault: Fault,
}

fn all() -> f64 {
    1.0
}

impl Rule {
    /// A rule for every request.
    #[must_use]
    pub const fn every(fault: Fault) -> Self {
        Self {
            method: None,
            path: None,
            above_in_flight: 0,
            after: 0,
            first: None,
            fraction: 1.0,
            fault,
        }
    }
}

/// What can happen to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Fault {
    /// The request is passed on only after this time. Several add up.
    Latency {
        /// How long.
        milliseconds: u64,
    },
    /// The request is passed on only once so many have come that suffer this: they go on together, then the next so
    /// many. A client that waits for the answer to one of them before it makes another waits for ever.
    Together {
        /// How many.
        requests: usize,
    },
    /// The connection is reset (RST) when so many bytes of the body went out; with 0 before there is an answer.
    /// Bytes that the client has not read by then may be lost to it too.
    Reset {
        /// Bytes of the body.
        after_bytes: u64,
    },
    /// The proxy itself answers with this status.
    Status {
        /// The status code.
        status: u16,
    },
    /// The connection is closed (FIN) when so many bytes of the body went out: fewer than `Content-Length` says.
    Cut {
        /// Bytes of the body.
        after_bytes: u64,
    },
    /// The body goes out at this speed.
    Slow {
        /// Bytes in a second, at least 1.
        bytes_per_second: u64,
    },
    /// `Content-Length` says so many bytes more than there are; with a negative number fewer go out.
    ContentLength {
        /// Bytes.
        difference: i64,
    },
    /// The answer has another `ETag` than the object. A request with `If-Match` for the tag of the object is
    /// answered with 412. One with the tag that was made up is passed on with that of the object, which a signature
    /// of that header would not survive.
    ChangedEtag {
        /// Another one in every answer, as of an object that is written again and again: `If-Match` never holds.
        always: bool,
    },
}
