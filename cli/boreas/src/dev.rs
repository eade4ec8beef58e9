//! `boreas dev`: time and state of a development chain (`boreasd dev`). No other chain has them.

use anyhow::{Context, bail, ensure};
use clap::Subcommand;
use serde_json::{Value, json};

use crate::json::pretty;
use crate::session::{Session, note, say};

/// Seconds of a minute, an hour, a day, a week and a year.
const UNITS: [(char, f64); 6] =
    [('s', 1.0), ('m', 60.0), ('h', 3600.0), ('d', 86_400.0), ('w', 604_800.0), ('y', 31_536_000.0)];

/// What is done with a development chain.
#[derive(Subcommand)]
pub enum Dev {
    /// Show the time of the chain, or move it: refunds, auctions, elections, rewards and decay follow
    Time {
        /// How far ahead, such as +90s, +3d or +1y6h; or until when, such as 2030-01-01 or 2030-01-01T12:00:00
        #[arg(allow_hyphen_values = true)]
        when: Option<String>,
        /// Print JSON
        #[arg(short, long)]
        json: bool,
    },
    /// Make blocks at once, without waiting for their slots
    Produce {
        /// How many
        #[arg(default_value_t = 1)]
        blocks: u64,
        /// Print JSON
        #[arg(short, long)]
        json: bool,
    },
}

impl Dev {
    /// Carries it out.
    pub fn run(self, session: &mut Session) -> anyhow::Result<()> {
        match self {
            Self::Time { when: None, json } => show_time(&call(session, "get_time", &Value::Null)?, json),
            Self::Time { when: Some(when), json } => show_time(&call(session, "move_time", &journey(&when)?)?, json),
            Self::Produce { blocks, json } => show_time(&call(session, "produce", &json!({ "blocks": blocks }))?, json),
        }
    }
}

/// Calls the node; says what is missing where it does not serve a development chain.
fn call(session: &Session, name: &str, body: &Value) -> anyhow::Result<Value> {
    let answer = session.call(&format!("/v1/dev/{name}"), body);
    answer.map_err(|error| match error.to_string() {
        text if text.contains("Unknown Endpoint") => {
            anyhow::anyhow!("this node does not run a development chain. One is begun with: boreasd dev")
        }
        _ => error,
    })
}

/// What a time on the command line asks of the node.
fn journey(when: &str) -> anyhow::Result<Value> {
    if let Some(ahead) = when.strip_prefix('+') {
        return Ok(json!({ "seconds": seconds(ahead)? }));
    }
    ensure!(!when.starts_with('-'), "time goes ahead only; boreas dev restore goes back to a saved state");
    let is_day = when.len() == 10 && when.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let until = if is_day { format!("{when}T00:00:00") } else { when.trim_end_matches('Z').to_owned() };
    Ok(json!({ "until": until }))
}

/// The seconds of a duration such as `90`, `3d` or `1y6h`.
fn seconds(text: &str) -> anyhow::Result<f64> {
    let wrong = || format!("+{text} is not a valid duration; one looks like +90s, +3d or +1y6h (s, m, h, d, w, y)");
    let (mut total, mut number) = (0.0, String::new());
    for letter in text.chars() {
        if letter.is_ascii_digit() || letter == '.' {
            number.push(letter);
            continue;
        }
        let (_, unit) = UNITS.iter().find(|(name, _)| *name == letter).with_context(wrong)?;
        total += std::mem::take(&mut number).parse::<f64>().ok().with_context(wrong)? * unit;
    }
    if !number.is_empty() {
        total += number.parse::<f64>().ok().with_context(wrong)?;
    }
    if total <= 0.0 {
        bail!(wrong());
    }
    Ok(total)
}

fn show_time(answer: &Value, json: bool) -> anyhow::Result<()> {
    if json {
        return say(pretty(answer));
    }
    let text = |field: &str| answer[field].as_str().unwrap_or_default().to_owned();
    let made = match answer["blocks"].as_u64() {
        None => String::new(),
        Some(1) => ", 1 block made".to_owned(),
        Some(blocks) => format!(", {blocks} blocks made"),
    };
    let (head, irreversible) = (&answer["head_block_num"], &answer["last_irreversible_block_num"]);
    say(format!("it is {} on the chain{made}; head {head}, irreversible {irreversible}", text("time")))?;
    let missing: Vec<_> =
        answer["missing_producers"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if !missing.is_empty() {
        note(format!(
            "the turns of {} were left out: this node has no key of theirs. Add it with boreas producer key add",
            missing.join(", ")
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_dates_are_read() {
        assert_eq!(seconds("90").ok(), Some(90.0));
        assert_eq!(seconds("3d").ok(), Some(259_200.0));
        assert_eq!(seconds("1y6h").ok(), Some(31_557_600.0));
        assert_eq!(seconds("0.5s").ok(), Some(0.5));
        for wrong in ["", "d", "3q", "0s", "1.2.3s", "-3d"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
        assert_eq!(journey("2030-01-01").ok(), Some(json!({ "until": "2030-01-01T00:00:00" })));
        assert_eq!(journey("2030-01-01T12:00:00Z").ok(), Some(json!({ "until": "2030-01-01T12:00:00" })));
        assert!(journey("-3d").is_err());
    }
}
