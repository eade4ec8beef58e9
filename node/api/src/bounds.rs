//! What one request may take: time under the chain's lock, bytes copied there, and the work and size of the JSON that
//! ABIs make of them. An answer that reaches a bound is cut where it can say `more`, and refused where it cannot.

use abi::{Budget, Limits};
use primitives::TimePoint;

use crate::ApiError;
use crate::large::{self, Allowance};
use crate::params::Fields;

/// Microseconds that a request may look at the chain while the writer waits, once it has [`UNCUT_ROWS`].
pub const READ_TIME_MAX_US: i64 = 20_000;
/// Rows that are looked at however long it takes, so that no busy machine cuts ordinary answers.
const UNCUT_ROWS: usize = 1000;
/// Bytes of rows that one answer is made of.
pub const READ_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Bytes that the JSON of one answer's decoded data may take in memory; each step of decoding counts as some.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Bytes that a large request is reckoned with: its rows, the JSON made of them, and what that is written to.
pub const LARGE_BYTES_MAX: usize = READ_BYTES_MAX + 2 * ANSWER_BYTES_MAX;
/// The first two of these for an answer that is not a large one.
const LIGHT_BYTES_MAX: usize = 1024 * 1024;

/// As much as the request that is being answered may have of something.
pub fn allowed(max: usize) -> usize {
    match large::allowance() {
        Allowance::Large => max,
        Allowance::Light | Allowance::Exceeded => max.min(LIGHT_BYTES_MAX),
    }
}

/// The end of an answer's look at the chain: as the client says (`time_limit_ms`), and in any case as
/// [`READ_TIME_MAX_US`] and [`READ_BYTES_MAX`] say.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    asked: Option<TimePoint>,
    last: TimePoint,
}

impl Deadline {
    /// As a request says; counts from now on.
    ///
    /// # Errors
    /// `invalid_http_request` when the field is no number.
    pub fn of(params: &Fields) -> Result<Self, ApiError> {
        let now = engine::clock::machine_time().0;
        let asked: Option<u32> = params.maybe("time_limit_ms")?;
        let asked = asked.map(|limit| TimePoint(now + i64::from(limit) * 1000));
        Ok(Self { asked, ..Self::from_now() })
    }

    /// Whatever a client says.
    pub fn from_now() -> Self {
        Self { asked: None, last: TimePoint(engine::clock::machine_time().0 + READ_TIME_MAX_US) }
    }

    /// Whether the time is over.
    pub fn time_is_over(self) -> bool {
        engine::clock::machine_time() >= self.last
    }

    /// Whether it is over for an answer of so many rows with so many bytes.
    pub fn is_over(self, rows: usize, bytes: usize) -> bool {
        self.asked.is_some_and(|end| engine::clock::machine_time() >= end) || self.is_cut(rows, bytes)
    }

    /// The same whatever the client says.
    pub fn is_cut(self, rows: usize, bytes: usize) -> bool {
        let is_full = bytes >= allowed(READ_BYTES_MAX);
        if is_full {
            large::exceed();
        }
        is_full || (rows >= UNCUT_ROWS && self.time_is_over())
    }
}

/// What the JSON of one answer may take.
#[derive(Debug)]
pub struct Bounds {
    budget: Budget,
    /// Whether messages name only the last step of a path.
    short_path: bool,
}

impl Bounds {
    /// The bounds of an answer whose messages stay short.
    pub fn new() -> Self {
        Self { budget: Budget::new(allowed(ANSWER_BYTES_MAX)), short_path: true }
    }

    /// The same with whole paths in messages where the node shows all of a failure.
    pub fn verbose(verbose: bool) -> Self {
        let mut bounds = Self::new();
        bounds.short_path = !verbose;
        bounds
    }

    /// What each conversion is given.
    pub fn limits(&self) -> Limits<'_> {
        Limits { short_path: self.short_path, budget: Some(&self.budget), ..Limits::default() }
    }

    /// Whether nothing is left: the fault of a conversion is then not the data's.
    pub fn are_reached(&self) -> bool {
        self.budget.is_spent()
    }
}

impl Drop for Bounds {
    fn drop(&mut self) {
        if self.budget.is_spent() {
            large::exceed();
        }
    }
}

impl Default for Bounds {
    fn default() -> Self {
        Self::new()
    }
}
