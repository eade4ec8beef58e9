//! Whoever holds private keys and signs with them.

use std::str::FromStr;

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

const ADVICE: &str = "is a keosd running there (--wallet-url)?";
/// Characters of an answer that are shown when it is not what was asked for.
const SHOWN_MAX: usize = 100;

impl Keosd {
    /// Calls `/v1/wallet/METHOD`.
    ///
    /// # Errors
    /// As [`Node::call`].
    pub fn call(&self, method: &str, body: &Value) -> Result<Value, ClientError> {
        self.0.call(&format!("/v1/wallet/{method}"), body).map_err(|error| match error {
            ApiError::Unreachable { url, reason, sent, .. } => {
                ApiError::Unreachable { url, reason, sent, advice: ADVICE }.into()
            }
            ApiError::NotANode { url, status, body } => {
                ClientError::Value(format!("{url} does not answer like a keosd (status {status}): {body}\n{ADVICE}"))
            }
            other => other.into(),
        })
    }

    /// Calls a method that answers with a list of texts, each a `what`.
    ///
    /// # Errors
    /// As [`Node::call`], or the answer is another one.
    pub fn list<T: FromStr>(&self, method: &str, body: &Value, what: &str) -> Result<Vec<T>, ClientError> {
        list(method, &self.call(method, body)?, what)
    }

    /// Calls a method that answers with one text, a `what`.
    ///
    /// # Errors
    /// As [`Node::call`], or the answer is another one.
    pub fn one<T: FromStr>(&self, method: &str, body: &Value, what: &str) -> Result<T, ClientError> {
        one(method, &self.call(method, body)?, what)
    }
}

impl Signer for Keosd {
    fn public_keys(&self) -> Result<Vec<PublicKey>, ClientError> {
        self.list("get_public_keys", &Value::Null, "public key")
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
        Ok(list("sign_transaction", &answer["signatures"], "signature")?.into_iter().skip(known).collect())
    }
}

fn list<T: FromStr>(method: &str, answer: &Value, what: &str) -> Result<Vec<T>, ClientError> {
    let items = answer.as_array().ok_or_else(|| unlike(method, answer, &format!("list of {what}s")))?;
    items.iter().map(|item| one(method, item, what)).collect()
}

fn one<T: FromStr>(method: &str, answer: &Value, what: &str) -> Result<T, ClientError> {
    answer.as_str().and_then(|text| text.parse().ok()).ok_or_else(|| unlike(method, answer, what))
}

fn unlike(method: &str, answer: &Value, wanted: &str) -> ClientError {
    let mut shown = answer.to_string();
    if let Some((end, _)) = shown.char_indices().nth(SHOWN_MAX) {
        shown.replace_range(end.., "...");
    }
    ClientError::Value(format!("keosd answers {method} with {shown}, which is not a valid {wanted}\n{ADVICE}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a program that is no keosd may answer, and what is said of it.
    #[test]
    fn an_answer_of_something_else_is_told_as_one() {
        for (answer, told) in [
            (json!(["EOS111"]), "with \"EOS111\", which is not a valid public key"),
            (json!([1]), "with 1, which is not a valid public key"),
            (json!([null, "x"]), "with null, which is not a valid public key"),
            (json!({}), "with {}, which is not a valid list of public keys"),
            (json!("SIG_K1_x"), "which is not a valid list of public keys"),
            (Value::Null, "which is not a valid list of public keys"),
        ] {
            let message = list::<PublicKey>("get_public_keys", &answer, "public key").unwrap_err().to_string();
            assert!(message.contains(told) && message.contains("--wallet-url"), "{answer}: {message}");
        }
        let key = "EOS6MRyAjQq8ud7hVNYcfnVPJqcVpscN5So8BhtHuGYqET5GDW5CV";
        assert_eq!(list::<PublicKey>("get_public_keys", &json!([key]), "public key").unwrap()[0].to_string(), key);
        let message = one::<PublicKey>("create_key", &json!("ü".repeat(500)), "public key").unwrap_err().to_string();
        assert!(message.contains("ü...") && message.chars().count() < 250, "{message}");
    }
}
