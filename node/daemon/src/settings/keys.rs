//! Signature providers: `PUBLIC=KEY:PRIVATE`.

use anyhow::Context;
use primitives::{PrivateKey, PublicKey};

/// nodeos' development key, public and private: whoever sets nothing else produces with it.
pub const DEVELOPMENT: &str =
    "EOS6MRyAjQq8ud7hVNYcfnVPJqcVpscN5So8BhtHuGYqET5GDW5CV=KEY:5KQwrPbwdL6PhXujxW37FSSQZ1JiwsST4cqQzDeyXtP79zkvFD3";

/// Reads a provider.
///
/// # Errors
/// It has another form, a key is none, or the two keys do not belong together.
pub fn provider(text: &str) -> anyhow::Result<(PublicKey, PrivateKey)> {
    let (public, provider) = text.split_once('=').context("it is no PUBLIC=KEY:PRIVATE")?;
    let Some(private) = provider.strip_prefix("KEY:") else {
        if provider.starts_with("KEOSD:") {
            anyhow::bail!("KEOSD providers are not supported yet; give the key as {public}=KEY:PRIVATE");
        }
        anyhow::bail!("after {public}= there must be KEY: and the private key");
    };
    let public: PublicKey = public.parse().map_err(|fault| anyhow::anyhow!("the public key is none: {fault}"))?;
    let private: PrivateKey = private.parse().map_err(|_| anyhow::anyhow!("the private key of {public} is none"))?;
    let own = private.public_key().map_err(|fault| anyhow::anyhow!("the private key of {public} is none: {fault}"))?;
    anyhow::ensure!(own == public, "the private key belongs to {own}, not to {public}");
    Ok((public, private))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_development_key_is_a_pair() {
        assert!(provider(DEVELOPMENT).is_ok());
        assert!(provider("EOS6MRyAjQq8ud7hVNYcfnVPJqcVpscN5So8BhtHuGYqET5GDW5CV=KEOSD:http://x").is_err());
    }
}
