//! The exponential moving average that CPU and net usage are measured with
//! (nodeos: `exponential_moving_average_accumulator`, resource_limits_private.hpp).

use codec::{Pack, Unpack};
use primitives::{Fault, ensure};

use crate::config::RATE_LIMITING_PRECISION;

/// The largest usage that can be extended for precision.
const RAW_MAX: u64 = u64::MAX / RATE_LIMITING_PRECISION;
const TOO_LARGE: &str = "Usage exceeds maximum value representable after extending for precision";

/// An average over a window of ordinals (slots or block numbers).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Pack, Unpack)]
pub struct UsageAverage {
    /// The last ordinal that something was added at.
    pub last_ordinal: u32,
    /// The average times [`RATE_LIMITING_PRECISION`].
    pub value_ex: u64,
    /// The average at the last ordinal and what was added since.
    pub consumed: u64,
}

/// A rate as a fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pack, Unpack)]
pub struct Ratio {
    /// Above the line.
    pub numerator: u64,
    /// Below the line; not zero.
    pub denominator: u64,
}

impl Ratio {
    /// `value` times the ratio, rounded down.
    ///
    /// # Errors
    /// `rate_limiting_state_inconsistent` when the product does not fit.
    pub fn of(self, value: u64) -> Result<u64, Fault> {
        let product = value.checked_mul(self.numerator);
        ensure!(product.is_some(), RATE_LIMITING_STATE_INCONSISTENT, "{TOO_LARGE}");
        Ok(product.unwrap_or_default() / self.denominator)
    }
}

impl UsageAverage {
    /// The average, rounded up.
    pub fn average(&self) -> u64 {
        self.value_ex.div_ceil(RATE_LIMITING_PRECISION)
    }

    /// Adds usage at an ordinal that is not before the last one.
    ///
    /// # Errors
    /// `rate_limiting_state_inconsistent` when a number gets too large, `resource_limit_exception` for an ordinal in
    /// the past.
    pub fn add(&mut self, units: u64, ordinal: u32, window: u32) -> Result<(), Fault> {
        ensure!(units <= RAW_MAX, RATE_LIMITING_STATE_INCONSISTENT, "{TOO_LARGE}");
        ensure!(
            u64::MAX - self.consumed >= units,
            RATE_LIMITING_STATE_INCONSISTENT,
            "Overflow in tracked usage when adding usage!"
        );
        // Fits: `units * PRECISION` was checked to be below 2^64.
        let contribution = (units * RATE_LIMITING_PRECISION).div_ceil(u64::from(window));
        ensure!(
            u64::MAX - self.value_ex >= contribution,
            RATE_LIMITING_STATE_INCONSISTENT,
            "Overflow in accumulated value when adding usage!"
        );
        if self.last_ordinal != ordinal {
            ensure!(
                ordinal > self.last_ordinal,
                RESOURCE_LIMIT_EXCEPTION,
                "new ordinal cannot be less than the previous ordinal"
            );
            let passed = ordinal - self.last_ordinal;
            self.value_ex = if passed < window {
                let decay = Ratio { numerator: u64::from(window - passed), denominator: u64::from(window) };
                decay.of(self.value_ex)?
            } else {
                0
            };
            self.last_ordinal = ordinal;
            self.consumed = self.average();
        }
        self.consumed = self.consumed.wrapping_add(units);
        self.value_ex = self.value_ex.wrapping_add(contribution);
        Ok(())
    }
}
