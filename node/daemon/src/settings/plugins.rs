//! nodeos' plugins: an API is served when its plugin is named; what the others do is always there, or not there at all.

/// Why a plugin has no effect.
const HISTORY: &str = "there is no socket of state history yet; --chain-state-history keeps what blocks do to rows";
const WALLET: &str = "wallets are those of boreas and keosd";

/// Each with a reason where it has no effect.
const PLUGINS: [(&str, Option<&str>); 19] = [
    ("chain_api_plugin", None),
    ("chain_plugin", None),
    ("db_size_api_plugin", None),
    ("http_client_plugin", None),
    ("http_plugin", None),
    ("login_plugin", Some("nodeos has none any more")),
    ("net_api_plugin", None),
    ("net_plugin", None),
    ("producer_api_plugin", None),
    ("producer_plugin", None),
    ("prometheus_plugin", None),
    ("resource_monitor_plugin", Some("disk space is not watched")),
    ("signature_provider_plugin", None),
    ("state_history_plugin", Some(HISTORY)),
    ("test_control_api_plugin", None),
    ("test_control_plugin", None),
    ("trace_api_plugin", None),
    ("wallet_api_plugin", Some(WALLET)),
    ("wallet_plugin", Some(WALLET)),
];

/// The plugins that were asked for, one by one and without their prefix, each once; `notices` tells which have no
/// effect.
///
/// # Errors
/// There is no such plugin.
pub fn names(given: &[String], notices: &mut Vec<String>) -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for text in given.iter().flat_map(|text| text.split([' ', ',', '\t'])).filter(|text| !text.is_empty()) {
        let name = text.strip_prefix("eosio::").unwrap_or(text);
        let Some((_, why)) = PLUGINS.iter().find(|(known, _)| *known == name) else {
            let known: Vec<_> = PLUGINS.iter().map(|(name, _)| *name).collect();
            anyhow::bail!("--plugin {text}: there is no such plugin; there are {}", known.join(", "));
        };
        if names.iter().any(|known| known == name) {
            continue;
        }
        if let Some(why) = why {
            notices.push(format!("--plugin {text} has no effect: {why}"));
        }
        names.push(name.to_owned());
    }
    Ok(names)
}
