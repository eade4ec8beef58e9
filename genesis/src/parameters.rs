//! The numbers of the system contract as options of a command line: a name and a unit that people use for each.

use serde_json::{Map, Value};

use crate::GenesisError;

/// In what a number is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A duration, kept in seconds.
    Seconds,
    /// A duration, kept in slots of half a second.
    Slots,
    /// Whole tokens, kept in smallest units.
    Tokens,
    /// A number.
    Count,
    /// true or false.
    Flag,
}

/// A number of the system contract that a chain can set.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// The option.
    pub option: &'static str,
    /// The field of the system contract's row.
    pub field: &'static str,
    /// What it is given in.
    pub unit: Unit,
    /// What it says.
    pub help: &'static str,
}

const fn of(option: &'static str, field: &'static str, unit: Unit, help: &'static str) -> Parameter {
    Parameter { option, field, unit, help }
}

/// All of them.
pub const PARAMETERS: [Parameter; 17] = [
    of("refund-delay", "refund_delay_sec", Unit::Seconds, "Time from an undelegation until its refund"),
    of("refunds-swept", "refunds_swept", Unit::Flag, "Anyone may claim a refund for its owner"),
    of("refunds-apart", "refunds_apart", Unit::Flag, "Each undelegation has a refund and a delay of its own"),
    of(
        "min-activated-stake",
        "min_activated_stake",
        Unit::Tokens,
        "Stake that must vote before the chain is activated",
    ),
    of("schedule-size", "schedule_size", Unit::Count, "Producers in a schedule"),
    of("schedule-interval", "schedule_interval_slots", Unit::Slots, "Time between two elections"),
    of("name-close-interval", "name_close_interval_slots", Unit::Slots, "Time between two closings of name auctions"),
    of("name-quiet", "name_quiet_sec", Unit::Seconds, "Time without a higher bid before an auction may close"),
    of(
        "name-activation",
        "name_activation_sec",
        Unit::Seconds,
        "Time from the chain's activation until auctions close",
    ),
    of("claim-interval", "claim_interval_sec", Unit::Seconds, "Time between two claims of a producer"),
    of(
        "votepay-expiry",
        "votepay_expiry_sec",
        Unit::Seconds,
        "Time after its last claim for which a producer's votes earn",
    ),
    of("min-pervote-daily-pay", "min_pervote_daily_pay", Unit::Tokens, "Least that is paid per vote in a claim"),
    of("vote-step", "vote_step_sec", Unit::Seconds, "Time in which a vote's weight takes one step"),
    of("vote-steps-per-doubling", "vote_steps_per_doubling", Unit::Count, "Steps in which a vote's weight doubles"),
    of("gifts-renew-votes", "gifts_renew_votes", Unit::Flag, "Stake given by others casts the receiver's vote anew"),
    of("ram-gift-bytes", "ram_gift_bytes", Unit::Count, "Bytes of RAM that every account has without buying"),
    of("keep-unlimited", "keep_unlimited", Unit::Flag, "An account without limits stays so when it gets stake or RAM"),
];

/// Seconds of the units of a duration.
const DURATIONS: [(&str, f64); 7] =
    [("ms", 1e-3), ("s", 1.0), ("m", 60.0), ("h", 3600.0), ("d", 86_400.0), ("w", 604_800.0), ("y", 31_536_000.0)];

impl Parameter {
    /// Its value as the document of a chain has it; `precision` is that of the chain's token.
    ///
    /// # Errors
    /// The text is not one.
    pub fn value(&self, text: &str, precision: u8) -> Result<Value, GenesisError> {
        let wrong =
            |what: &str| GenesisError::new(format!("--{}", self.option), format!("{text:?} is not a valid {what}"));
        let rounded = |number: f64| Value::from(number.round() as i64);
        match self.unit {
            Unit::Flag => match text {
                "true" => Ok(Value::Bool(true)),
                "false" => Ok(Value::Bool(false)),
                _ => Err(wrong("flag, which is true or false")),
            },
            Unit::Count => text.parse::<i64>().map(Value::from).map_err(|_| wrong("whole number")),
            Unit::Tokens => {
                let amount = text.split(' ').next().unwrap_or_default().parse::<f64>().ok();
                let units = amount.map(|amount| rounded(amount * 10f64.powi(precision.into())));
                units.ok_or_else(|| wrong("number of tokens, which looks like 150000000"))
            }
            Unit::Seconds | Unit::Slots => {
                let seconds = duration(text).ok_or_else(|| wrong("duration, which looks like 5s, 90m or 3d"))?;
                Ok(rounded(if self.unit == Unit::Slots { seconds * 2.0 } else { seconds }))
            }
        }
    }
}

/// The seconds of a duration: a number with a unit, seconds without one.
fn duration(text: &str) -> Option<f64> {
    let end = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit = if unit.is_empty() { "s" } else { unit };
    let (_, factor) = DURATIONS.iter().find(|(name, _)| *name == unit)?;
    Some(number.parse::<f64>().ok()? * factor)
}

/// Puts values of options into the parameters of a document.
///
/// # Errors
/// One of them is not valid.
pub fn apply(
    parameters: &mut Map<String, Value>,
    given: &[(Parameter, String)],
    precision: u8,
) -> Result<(), GenesisError> {
    for (parameter, text) in given {
        parameters.insert(parameter.field.to_owned(), parameter.value(text, precision)?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::parameter_names;

    /// Fields of the row that follow from others.
    const DERIVED: [&str; 3] = ["ram_gift_bytes_before", "vote_epoch_sec", "vote_epoch_doublings"];

    #[test]
    fn every_number_of_the_contract_has_an_option() {
        let mut known: Vec<_> = PARAMETERS.iter().map(|parameter| parameter.field).chain(DERIVED).collect();
        let mut fields = parameter_names();
        known.sort_unstable();
        fields.sort_unstable();
        assert_eq!(known, fields);
    }

    #[test]
    fn values_are_read_in_the_units_of_people() {
        let value = |option: &str, text: &str| {
            let parameter = PARAMETERS.iter().find(|known| known.option == option).expect("an option");
            parameter.value(text, 4).map_err(|error| error.to_string())
        };
        assert_eq!(value("refund-delay", "3d"), Ok(Value::from(259_200)));
        assert_eq!(value("refund-delay", "7"), Ok(Value::from(7)));
        assert_eq!(value("schedule-interval", "1m"), Ok(Value::from(120)));
        assert_eq!(value("schedule-interval", "500ms"), Ok(Value::from(1)));
        assert_eq!(value("min-activated-stake", "150000000.0000 SYS"), Ok(Value::from(1_500_000_000_000i64)));
        assert_eq!(value("refunds-swept", "true"), Ok(Value::Bool(true)));
        for (option, text) in
            [("refund-delay", "soon"), ("refund-delay", "3q"), ("schedule-size", "many"), ("keep-unlimited", "1")]
        {
            assert!(value(option, text).is_err_and(|error| error.contains(option) && error.contains(text)));
        }
    }
}
