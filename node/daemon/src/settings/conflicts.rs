//! Options that contradict each other: nodeos refuses them, and a node that ran with them would not do what was meant.

use clap::ArgMatches;

use super::NodeArgs;

/// Options of a block log in parts, which exclude one that is cut at its beginning.
const PARTS_OF_LOG: [&str; 4] =
    ["blocks-log-stride", "max-retained-block-files", "blocks-retained-dir", "blocks-archive-dir"];

/// Checks the node's options, of which those without a meaning here are in `given` only.
///
/// # Errors
/// Two of them exclude each other.
pub fn check(node: &NodeArgs, given: &ArgMatches) -> anyhow::Result<()> {
    let text = |name: &str| given.get_many::<String>(name).into_iter().flatten().next_back().map(String::as_str);
    let chain = &node.chain;
    if !node.producer.producer_name.is_empty() {
        let refused = |option: &str, why: &str| {
            anyhow::anyhow!("--producer-name and {option} exclude each other: {why}; leave one of them out")
        };
        if chain.is_irreversible_only() {
            return Err(refused(
                "--read-mode irreversible",
                "blocks are produced on the head, not on the last irreversible block",
            ));
        }
        if chain.validation_mode == "light" {
            return Err(refused("--validation-mode light", "a producer has to check what it builds on"));
        }
        if !chain.api_accept_transactions && !node.net.p2p_accept_transactions {
            let option = "--api-accept-transactions false with --p2p-accept-transactions false";
            return Err(refused(option, "a producer takes transactions from somewhere"));
        }
        if text("read-only-threads").is_some_and(|threads| threads != "0") {
            return Err(refused("--read-only-threads", "nodeos has such threads on nodes that do not produce"));
        }
    }
    if node.folders.block_log_retain_blocks.is_some()
        && let Some(other) = PARTS_OF_LOG.iter().find(|name| text(name).is_some())
    {
        anyhow::bail!("--block-log-retain-blocks and --{other} exclude each other; leave one of them out");
    }
    anyhow::ensure!(
        !(node.folders.trace_no_abis && text("trace-rpc-abi").is_some()),
        "--trace-no-abis and --trace-rpc-abi exclude each other; leave one of them out"
    );
    let (longest, interval) = (chain.transaction_retry_max_expiration_sec, chain.transaction_retry_interval_sec);
    anyhow::ensure!(
        chain.transaction_retry_max_storage_size_gb == 0 || longest > interval,
        "--transaction-retry-max-expiration-sec {longest} must be more than --transaction-retry-interval-sec {interval}: \
         a transaction that has expired cannot be tried again"
    );
    Ok(())
}
