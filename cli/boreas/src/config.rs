//! `~/.config/boreas/config.toml`: networks by name, and what else a user would not like to type again and again.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, bail, ensure};
use serde::Deserialize;

/// Larger files are not settings.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// The file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The network that is used when none is named.
    network: Option<String>,
    /// Who acts where nobody is named, on every network.
    account: Option<String>,
    /// Networks by name.
    #[serde(default)]
    networks: BTreeMap<String, Network>,
}

/// A chain and how it is reached.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// Addresses of nodes of this chain; calls go round them.
    #[serde(default)]
    pub urls: Vec<String>,
    /// Who acts where nobody is named.
    pub account: Option<String>,
    /// A keosd with the keys for this chain.
    pub wallet_url: Option<String>,
    /// Further HTTP headers: `NAME:VALUE`.
    #[serde(default)]
    pub headers: Vec<String>,
}

/// Where the file is: `$BOREAS_CONFIG`, else `boreas/config.toml` in the user's folder of settings.
fn place() -> PathBuf {
    let of = |variable: &str| std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
    of("BOREAS_CONFIG").unwrap_or_else(|| {
        let home = || of("HOME").unwrap_or_default().join(".config");
        of("XDG_CONFIG_HOME").unwrap_or_else(home).join("boreas/config.toml")
    })
}

impl Config {
    /// The user's settings; none where there is no file.
    pub fn of_user() -> anyhow::Result<Self> {
        let path = place();
        let shown = path.display();
        match std::fs::metadata(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            data => {
                let bytes = data.with_context(|| format!("{shown} cannot be read"))?.len();
                ensure!(bytes <= FILE_BYTES_MAX, "{shown} has more than {FILE_BYTES_MAX} bytes");
            }
        }
        let text = std::fs::read_to_string(&path).with_context(|| format!("{shown} cannot be read"))?;
        Self::parse(&text).with_context(|| format!("{shown} is not valid"))
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let config: Self = toml::from_str(text)?;
        if let Some(name) = config.network.as_ref().filter(|name| !config.networks.contains_key(*name)) {
            bail!("network = {name:?} is not one of its networks: {}", config.names());
        }
        if let Some((name, _)) = config.networks.iter().find(|(_, network)| network.urls.is_empty()) {
            bail!("networks.{name} has no urls; they look like urls = [\"http://127.0.0.1:8888\"]");
        }
        Ok(config)
    }

    fn names(&self) -> String {
        let names: Vec<_> = self.networks.keys().map(String::as_str).collect();
        if names.is_empty() { "it has none".to_owned() } else { names.join(", ") }
    }

    /// The network of a name, or the one that is used when none is named; empty where there is none.
    pub fn network(self, name: Option<&str>) -> anyhow::Result<Network> {
        let Some(wanted) = name.or(self.network.as_deref()) else {
            return Ok(Network { account: self.account, ..Network::default() });
        };
        let Some(network) = self.networks.get(wanted) else {
            let alike = self.networks.keys().find(|known| strsim::damerau_levenshtein(known, wanted) <= 2);
            let meant = alike.map_or_else(String::new, |known| format!("; is {known} meant?"));
            bail!("{} has no network {wanted}{meant}\nIts networks: {}", place().display(), self.names());
        };
        Ok(Network { account: network.account.clone().or(self.account), ..network.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
        network = "local"
        account = "alice"
        [networks.local]
        urls = ["http://127.0.0.1:8888", "http://127.0.0.1:8889"]
        [networks.jungle]
        urls = ["https://jungle.example"]
        account = "bob"
        headers = ["X-Key:1"]
    "#;

    #[test]
    fn networks_have_names() {
        let of = |name| Config::parse(FILE).expect("valid").network(name);
        let local = of(None).expect("the default");
        assert_eq!((local.urls.len(), local.account.as_deref()), (2, Some("alice")));
        let jungle = of(Some("jungle")).expect("a network");
        assert_eq!((jungle.account.as_deref(), jungle.headers.len()), (Some("bob"), 1));
        let told = of(Some("jungel")).expect_err("no such network").to_string();
        assert!(told.contains("is jungle meant?") && told.contains("jungle, local"), "{told}");
        assert!(Config::default().network(None).expect("nothing").urls.is_empty());
    }

    #[test]
    fn mistakes_are_told() {
        let told = |text: &str| format!("{:#}", Config::parse(text).expect_err("refused"));
        assert!(told("netwrok = 'x'").contains("netwrok"));
        assert!(told("network = 'x'").contains("is not one of its networks: it has none"));
        assert!(told("[networks.a]").contains("networks.a has no urls"));
        assert!(told("[networks.a]\nurls = 1").contains("urls"));
    }
}
