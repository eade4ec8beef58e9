//! `boreas trace`: what a transaction did, from the traces that its node keeps.

use anyhow::bail;
use clap::Args;
use serde_json::{Value, json};

use crate::advice::refusal;
use crate::arguments::transaction_id;
use crate::json::pretty;
use crate::receipt::{FailedTransaction, print_tree};
use crate::session::{Session, say};
use crate::stopped;

/// Flags of `trace`.
#[derive(Args)]
pub struct Trace {
    /// The transaction's id
    id: String,
    /// Print JSON
    #[arg(short, long)]
    json: bool,
}

impl Trace {
    /// Asks and prints.
    pub fn run(self, session: &Session) -> anyhow::Result<()> {
        let answer = self.ask(session)?;
        if self.json {
            return say(pretty(&answer));
        }
        let processed = &answer["processed"];
        summary(&answer, processed).into_iter().try_for_each(say)?;
        print_tree(processed, session.layout)?;
        match FailedTransaction::of(processed) {
            Some(failed) => {
                say(format!("\n{failed}"))?;
                stopped::lines(processed).into_iter().try_for_each(say)
            }
            None => Ok(()),
        }
    }

    fn ask(&self, session: &Session) -> anyhow::Result<Value> {
        let id = transaction_id(&self.id)?;
        let answer = session.call("/v1/trace_api/get_processed_transaction", &json!({ "id": id }));
        let Err(error) = answer else { return answer };
        match refusal(&error).map(|fault| fault.status) {
            Some(404) if error.to_string().contains("Unknown Endpoint") => bail!(
                "this node keeps no traces of this form. It is boreasd that does, with --plugin \
                 eosio::trace_api_plugin; boreas get transaction_trace shows what a nodeos keeps"
            ),
            Some(404) => bail!(
                "the node has no trace of transaction {id}: it is in no block, was not among the last that failed, or is \
                 older than the node's traces"
            ),
            _ => Err(error),
        }
    }
}

/// Where the transaction is and what it cost.
fn summary(answer: &Value, processed: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let receipt = &processed["receipt"];
    let place = match answer["block_id"].as_str() {
        Some(id) => format!("block {} of {} ({id})", processed["block_num"], text(&processed["block_time"])),
        None => format!("no block: it failed at {}", text(&processed["block_time"])),
    };
    let mut lines = vec![format!("transaction {}", text(&answer["transaction_id"])), format!("in {place}")];
    if receipt.is_object() {
        let net = receipt["net_usage_words"].as_u64().unwrap_or_default() * 8;
        lines.push(format!("{}, {} us of CPU, {net} bytes of net", text(&receipt["status"]), receipt["cpu_usage_us"]));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_says_where_it_is_and_what_it_cost() {
        let processed = json!({
            "block_num": 7, "block_time": "2030-01-01T00:00:00.500",
            "receipt": { "status": "executed", "cpu_usage_us": 120, "net_usage_words": 16 },
        });
        let answer = json!({ "transaction_id": "ab", "block_id": "00000007cd" });
        let lines = [
            "transaction ab",
            "in block 7 of 2030-01-01T00:00:00.500 (00000007cd)",
            "executed, 120 us of CPU, 128 bytes of net",
        ];
        assert_eq!(summary(&answer, &processed), lines);
        let failed = json!({ "block_time": "2030-01-01T00:00:00.500", "receipt": null });
        let answer = json!({ "transaction_id": "ab", "block_id": null });
        assert_eq!(summary(&answer, &failed)[1], "in no block: it failed at 2030-01-01T00:00:00.500");
    }
}
