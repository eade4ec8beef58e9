//! Signature providers: `PUBLIC=KEY:PRIVATE` signs here, `PUBLIC=KEOSD:URL` lets a keosd sign.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use engine::Signer;
use primitives::{Name, PrivateKey, PublicKey};

use crate::keosd::{Endpoint, Keosd};
use crate::settings::args::ProducerArgs;
use crate::words::{self, names};

/// How long keosd has at most, which is also what a negative timeout means: a block waits for it.
const KEOSD_TIMEOUT_MAX: Duration = Duration::from_secs(10);

/// Who signs with a key.
#[derive(Debug)]
pub enum Provider {
    /// This process.
    Key(PrivateKey),
    /// A keosd.
    Keosd(Endpoint),
}

/// Reads a provider.
///
/// # Errors
/// It has another form, a key is not valid, or the two keys do not belong together.
pub fn provider(text: &str) -> anyhow::Result<(PublicKey, Provider)> {
    let (public, provider) = text.split_once('=').context("it is neither PUBLIC=KEY:PRIVATE nor PUBLIC=KEOSD:URL")?;
    let public = words::public_key(public)?;
    match provider.split_once(':') {
        Some(("KEY", private)) => {
            let key: PrivateKey =
                private.parse().map_err(|_| anyhow::anyhow!("the private key of {public} is not a valid key"))?;
            let own = key
                .public_key()
                .map_err(|fault| anyhow::anyhow!("the private key of {public} is not a valid key: {fault}"))?;
            anyhow::ensure!(own == public, "the private key belongs to {own}, not to {public}");
            Ok((public, Provider::Key(key)))
        }
        Some(("KEOSD", url)) => Ok((public, Provider::Keosd(Endpoint::parse(url)?))),
        Some((kind, _)) => anyhow::bail!("a provider of type {kind} is not supported; KEY and KEOSD are"),
        None => anyhow::bail!("after {public}= there must be KEY: and the private key, or KEOSD: and a URL"),
    }
}

/// For whom this node produces, and who signs.
#[derive(Default)]
pub struct Keyring {
    /// Producers.
    pub producers: BTreeSet<Name>,
    /// Who signs with each key.
    pub signers: Vec<(PublicKey, Signer)>,
    /// The keys that are in this process.
    keys: Vec<(PublicKey, PrivateKey)>,
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Keyring").field("producers", &self.producers).finish_non_exhaustive()
    }
}

impl Keyring {
    /// The keys that blocks are signed with.
    pub fn public_keys(&self) -> Vec<PublicKey> {
        self.signers.iter().map(|(public, _)| public.clone()).collect()
    }

    /// What the options say.
    ///
    /// # Errors
    /// A producer is no name, a provider is not understood or cannot be started.
    pub fn new(args: &ProducerArgs) -> anyhow::Result<Self> {
        let mut ring = Self { producers: names("producer-name", &args.producer_name)?, ..Self::default() };
        for text in &args.signature_provider {
            let shown = words::shown(text.split('=').next().unwrap_or_default());
            let (public, provider) =
                provider(text).with_context(|| format!("--signature-provider {shown}=... is not understood"))?;
            match provider {
                Provider::Key(key) => ring.add(public, key),
                Provider::Keosd(endpoint) => {
                    let timeout =
                        u64::try_from(args.keosd_provider_timeout).map_or(KEOSD_TIMEOUT_MAX, Duration::from_millis);
                    let keosd = Keosd::start(endpoint, &public, timeout.min(KEOSD_TIMEOUT_MAX))?;
                    ring.signers.push((public, Signer::Remote(Arc::new(keosd))));
                }
            }
        }
        Ok(ring)
    }

    /// A key of this process.
    pub fn add(&mut self, public: PublicKey, key: PrivateKey) {
        self.signers.push((public.clone(), Signer::Key(key.clone())));
        self.keys.push((public, key));
    }

    /// The private half of a key, if it is in this process.
    pub fn private(&self, public: &PublicKey) -> Option<&PrivateKey> {
        self.keys.iter().find(|(known, _)| known == public).map(|(_, key)| key)
    }

    /// The private keys of this process.
    pub fn private_keys(&self) -> impl Iterator<Item = &PrivateKey> {
        self.keys.iter().map(|(_, key)| key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::args::DEVELOPMENT_PROVIDER;

    #[test]
    fn the_development_key_is_a_pair() {
        assert!(matches!(provider(DEVELOPMENT_PROVIDER), Ok((_, Provider::Key(_)))));
    }

    #[test]
    fn other_forms_are_refused_with_their_reason() {
        const PUBLIC: &str = "EOS6MRyAjQq8ud7hVNYcfnVPJqcVpscN5So8BhtHuGYqET5GDW5CV";
        let refused = |text: &str| provider(text).unwrap_err().to_string();
        let turned_round = format!("{}=KEY:{PUBLIC}", "5KQwrPbwdL6PhXujxW37FSSQZ1JiwsST4cqQzDeyXtP79zkvFD3");
        assert!(refused(&turned_round).starts_with("it is a private key"));
        assert!(refused("foo=KEY:x").contains("does not begin as public keys do"));
        assert!(refused(PUBLIC).contains("PUBLIC=KEOSD:URL"));
        assert!(refused(&format!("{PUBLIC}=SE:x")).contains("type SE"));
        assert!(refused(&format!("{PUBLIC}=KEOSD:ftp://x")).contains("ftp"));
        assert!(refused(&format!("{PUBLIC}=5KQwrPbwdL6PhXujxW37FSSQZ1JiwsST4cqQzDeyXtP79zkvFD3")).contains("KEY:"));
        assert!(!refused(&format!("{PUBLIC}=KEY:5KQ")).contains("5KQ"), "keys are never shown");
        assert!(provider(&format!("{PUBLIC}=KEOSD:http://127.0.0.1:8900/v1/wallet/sign_digest")).is_ok());
        assert!(provider(&format!("{PUBLIC}=KEOSD:unix:///tmp/keosd.sock/v1/wallet/sign_digest")).is_ok());
    }
}
