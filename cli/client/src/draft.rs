//! From actions to a signed transaction and its receipt.

use primitives::{
    Action, BlockId, Checksum256, Compression, Fault, FaultKind, PackedTransaction, PrivateKey, PublicKey,
    SignedTransaction, TimePoint, Transaction, TransactionHeader, VarUint32,
};
use serde_json::{Value, json};

use crate::{ApiError, ApiFault, ClientError, Node};

/// Actions on their way to a transaction.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// Run first, without state.
    pub context_free_actions: Vec<Action>,
    /// Run in order.
    pub actions: Vec<Action>,
}

/// How a draft is bound, signed and sent; the flags that every command of cleos shares.
#[derive(Debug, Clone)]
pub struct SendSettings {
    /// Seconds until it expires.
    pub expiration_sec: u32,
    /// Number or id of the block it is bound to; the last irreversible one when not given.
    pub ref_block: Option<String>,
    /// Milliseconds of CPU it may use; 0 for no limit.
    pub max_cpu_usage_ms: u8,
    /// Bytes of net it may use; 0 for no limit.
    pub max_net_usage: u32,
    /// Seconds it waits before it runs.
    pub delay_sec: u32,
    /// Compress it.
    pub compression: Compression,
    /// Sign it.
    pub sign: bool,
    /// Sign with these keys, without asking the node which are needed.
    pub sign_with: Vec<PublicKey>,
    /// Ask for the trace of a transaction that fails.
    pub return_failure_trace: bool,
    /// Let the node retry until irreversible.
    pub retry_irreversible: bool,
    /// Let the node retry until this many blocks lie over it.
    pub retry_num_blocks: Option<u32>,
    /// By which endpoint it goes.
    pub route: Route,
}

/// The endpoints that take transactions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Route {
    /// `send_transaction2`: with failure traces and retries.
    #[default]
    Send2,
    /// `send_transaction`, of older nodes.
    Send,
    /// `push_transaction`, of the oldest.
    Push,
    /// `send_read_only_transaction`: executed, and nothing of it kept.
    ReadOnly,
}

/// A node's answer to a transaction.
#[derive(Debug, Clone)]
pub struct Receipt(pub Value);

impl Draft {
    /// Binds the draft to a recent block and signs it with the keys of `keys` that it needs.
    ///
    /// # Errors
    /// When the node cannot be asked, the block is not known, or a needed key is missing.
    pub fn sign(
        self,
        node: &Node,
        keys: &[PrivateKey],
        settings: &SendSettings,
    ) -> Result<SignedTransaction, ClientError> {
        let info = node.call("/v1/chain/get_info", &json!({}))?;
        let head_time: TimePoint = field(&info, "head_block_time")?.parse()?;
        let reference = reference(node, &info, settings.ref_block.as_deref())?;
        let mut transaction = Transaction {
            header: TransactionHeader {
                expiration: head_time.seconds().plus_seconds(settings.expiration_sec),
                max_net_usage_words: VarUint32(settings.max_net_usage.div_ceil(8)),
                max_cpu_usage_ms: settings.max_cpu_usage_ms,
                delay_sec: VarUint32(settings.delay_sec),
                ..TransactionHeader::default()
            },
            context_free_actions: self.context_free_actions,
            actions: self.actions,
            extensions: Vec::new(),
        };
        transaction.header.set_reference_block(&reference);
        let mut signed = SignedTransaction { transaction, ..SignedTransaction::default() };
        if settings.sign {
            let chain_id: Checksum256 = field(&info, "chain_id")?.parse()?;
            let digest = signed.transaction.signing_digest(&chain_id, &signed.context_free_data);
            for key in needed_keys(node, &signed, keys, &settings.sign_with)? {
                signed.signatures.push(key.sign(&digest)?);
            }
        }
        Ok(signed)
    }
}

impl Receipt {
    /// Sends a signed transaction.
    pub fn of(node: &Node, signed: &SignedTransaction, settings: &SendSettings) -> Result<Self, ClientError> {
        let packed = PackedTransaction::new(signed, settings.compression);
        let path = match settings.route {
            Route::Send2 => return Self::of_send2(node, &packed, settings),
            Route::ReadOnly => {
                let body = json!({ "transaction": packed });
                return Ok(Self(node.call("/v1/chain/send_read_only_transaction", &body)?));
            }
            Route::Send => "/v1/chain/send_transaction",
            Route::Push => "/v1/chain/push_transaction",
        };
        Ok(Self(node.call(path, &json!(packed))?))
    }

    fn of_send2(node: &Node, packed: &PackedTransaction, settings: &SendSettings) -> Result<Self, ClientError> {
        let retry = settings.retry_irreversible || settings.retry_num_blocks.is_some();
        let mut body = json!({
            "return_failure_trace": settings.return_failure_trace,
            "retry_trx": retry,
            "transaction": packed,
        });
        if let Some(blocks) = settings.retry_num_blocks {
            body["retry_trx_num_blocks"] = json!(blocks);
        }
        Ok(Self(node.call("/v1/chain/send_transaction2", &body)?))
    }
}

fn field<'a>(value: &'a Value, key: &str) -> Result<&'a str, ClientError> {
    value[key].as_str().ok_or_else(|| ClientError::Value(format!("the node's answer has no {key}")))
}

fn reference(node: &Node, info: &Value, ref_block: Option<&str>) -> Result<BlockId, ClientError> {
    Ok(match ref_block {
        None => field(info, "last_irreversible_block_id")?.parse()?,
        Some(number_or_id) => {
            let block = node.call("/v1/chain/get_block", &json!({ "block_num_or_id": number_or_id }));
            let block = block.map_err(|error| match error {
                ApiError::Fault(unknown) => {
                    let message = format!("Invalid reference block num or id: {number_or_id}");
                    let mut fault = ApiFault::from(Fault::new(FaultKind::INVALID_REF_BLOCK_EXCEPTION, message));
                    fault.details.extend(unknown.details);
                    ApiError::Fault(fault)
                }
                other => other,
            })?;
            field(&block, "id")?.parse()?
        }
    })
}

/// The keys that have to sign: those named, else those that the node picks from all that there are.
fn needed_keys<'a>(
    node: &Node,
    signed: &SignedTransaction,
    keys: &'a [PrivateKey],
    named: &[PublicKey],
) -> Result<Vec<&'a PrivateKey>, ClientError> {
    let needed = if named.is_empty() {
        let available = keys.iter().map(PrivateKey::public_key).collect::<Result<Vec<_>, _>>()?;
        let body = json!({ "transaction": signed.transaction, "available_keys": available });
        let answer = node.call("/v1/chain/get_required_keys", &body)?;
        let list = answer["required_keys"].as_array().cloned().unwrap_or_default();
        list.iter().filter_map(Value::as_str).map(str::parse).collect::<Result<Vec<PublicKey>, _>>()?
    } else {
        named.to_vec()
    };
    needed
        .iter()
        .map(|wanted| {
            keys.iter().find(|key| key.public_key().as_ref() == Ok(wanted)).ok_or_else(|| {
                ClientError::Value(format!("no unlocked wallet holds the private key of {wanted}; import it first"))
            })
        })
        .collect()
}
