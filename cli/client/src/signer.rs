//! Whoever holds private keys and signs with them.

use primitives::{ChainId, PrivateKey, PublicKey, Signature, SignedTransaction};
use serde_json::{Value, json};

use crate::{ApiError, ClientError, Node};

/// Keys that this program holds, or another one.
pub trait Signer {
    /// The public keys that it can sign for.
    ///
    /// # Errors
    /// When it cannot be asked.
    fn public_keys(&self) -> Result<Vec<PublicKey>, ClientError>;

    /// Signatures of a transaction by each of these keys.
    ///
    /// # Errors
    /// When a key is missing, or it cannot be asked.
    fn sign(
        &self,
        transaction: &SignedTransaction,
        keys: &[PublicKey],
        chain_id: &ChainId,
    ) -> Result<Vec<Signature>, ClientError>;
}

impl Signer for [PrivateKey] {
    fn public_keys(&self) -> Result<Vec<PublicKey>, ClientError> {
        Ok(self.iter().map(PrivateKey::public_key).collect::<Result<_, _>>()?)
    }

    fn sign(
        &self,
        transaction: &SignedTransaction,
        keys: &[PublicKey],
        chain_id: &ChainId,
    ) -> Result<Vec<Signature>, ClientError> {
        let digest = transaction.transaction.signing_digest(chain_id, &transaction.context_free_data);
        let sign = |wanted: &PublicKey| {
            let key = self.iter().find(|key| key.public_key().as_ref() == Ok(wanted)).ok_or_else(|| {
                ClientError::Value(format!("no unlocked wallet holds the private key of {wanted}; import it first"))
            })?;
            Ok(key.sign(&digest)?)
        };
        keys.iter().map(sign).collect()
    }
}

/// A keosd, or what answers like one.
#[derive(Debug, Clone)]
pub struct Keosd(pub Node);

impl Keosd {
    /// Calls `/v1/wallet/METHOD`.
    ///
    /// # Errors
    /// As [`Node::call`].
    pub fn call(&self, method: &str, body: &Value) -> Result<Value, ClientError> {
        let answer = self.0.call(&format!("/v1/wallet/{method}"), body);
        Ok(answer.map_err(|error| match error {
            ApiError::Unreachable { url, reason, sent, .. } => {
                ApiError::Unreachable { url, reason, sent, advice: "is a keosd running there (--wallet-url)?" }
            }
            other => other,
        })?)
    }
}

impl Signer for Keosd {
    fn public_keys(&self) -> Result<Vec<PublicKey>, ClientError> {
        texts(&self.call("get_public_keys", &Value::Null)?)
    }

    fn sign(
        &self,
        transaction: &SignedTransaction,
        keys: &[PublicKey],
        chain_id: &ChainId,
    ) -> Result<Vec<Signature>, ClientError> {
        // keosd gives all signatures back, those that were there first.
        let known = transaction.signatures.len();
        let answer = self.call("sign_transaction", &json!([transaction, keys, chain_id]))?;
        Ok(texts(&answer["signatures"])?.into_iter().skip(known).collect())
    }
}

fn texts<T: std::str::FromStr<Err = primitives::Fault>>(list: &Value) -> Result<Vec<T>, ClientError> {
    let items = list.as_array().ok_or_else(|| ClientError::Value("keosd answers without a list".to_owned()))?;
    let texts = items.iter().filter_map(Value::as_str);
    Ok(texts.map(str::parse).collect::<Result<_, _>>()?)
}
