//! From actions to a signed transaction and its receipt.

use primitives::{
    Action, BlockId, ChainId, Compression, Fault, FaultKind, PackedTransaction, PublicKey, SignedTransaction,
    TimePoint, Transaction, TransactionHeader, VarUint32,
};
use serde_json::{Value, json};

use crate::{ApiError, ApiFault, ClientError, Node, Signer};

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
    /// Let the node answer only then; it tries again what falls out of the chain meanwhile.
    pub wait: Option<WaitFor>,
    /// By which endpoint it goes.
    pub route: Route,
}

impl Default for SendSettings {
    /// As cleos: half a minute, no limits, signed, no compression.
    fn default() -> Self {
        Self {
            expiration_sec: 30,
            ref_block: None,
            max_cpu_usage_ms: 0,
            max_net_usage: 0,
            delay_sec: 0,
            compression: Compression::None,
            sign: true,
            sign_with: Vec::new(),
            return_failure_trace: true,
            retry_irreversible: false,
            retry_num_blocks: None,
            wait: None,
            route: Route::default(),
        }
    }
}

/// How far a transaction is when the node answers; only our own nodes know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitFor {
    /// Its block is part of the chain.
    Block,
    /// That block is synced to the node's disk.
    Stored,
    /// That block is irreversible.
    Irreversible,
}

impl WaitFor {
    /// As the node reads it.
    pub fn text(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::Stored => "stored",
            Self::Irreversible => "irreversible",
        }
    }
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
    /// `compute_transaction`: executed as if it were sent, and nothing of it kept.
    DryRun,
    /// `/v1/dev/send_transaction` of a development chain: whoever the actions name is taken to agree.
    Impersonate,
}

/// A node's answer to a transaction.
#[derive(Debug, Clone)]
pub struct Receipt(pub Value);

impl Draft {
    /// Binds the draft to a recent block and signs it with the keys of `signer` that it needs.
    ///
    /// # Errors
    /// When the node cannot be asked, the block is not known, or a needed key is missing.
    pub fn sign(
        self,
        node: &Node,
        signer: &(impl Signer + ?Sized),
        settings: &SendSettings,
    ) -> Result<SignedTransaction, ClientError> {
        let transaction = Transaction {
            context_free_actions: self.context_free_actions,
            actions: self.actions,
            ..Transaction::default()
        };
        let mut signed = SignedTransaction { transaction, ..SignedTransaction::default() };
        complete(&mut signed, node, signer, settings)?;
        Ok(signed)
    }
}

/// Binds a transaction to a recent block, unless it has signatures, and adds the signatures that it needs.
///
/// # Errors
/// As [`Draft::sign`].
pub fn complete(
    signed: &mut SignedTransaction,
    node: &Node,
    signer: &(impl Signer + ?Sized),
    settings: &SendSettings,
) -> Result<(), ClientError> {
    let info = node.call("/v1/chain/get_info", &json!({}))?;
    if signed.signatures.is_empty() {
        let head_time: TimePoint = field(&info, "head_block_time")?.parse()?;
        let reference = reference(node, &info, settings.ref_block.as_deref())?;
        signed.transaction.header = TransactionHeader {
            expiration: head_time.seconds().plus_seconds(settings.expiration_sec),
            max_net_usage_words: VarUint32(settings.max_net_usage.div_ceil(8)),
            max_cpu_usage_ms: settings.max_cpu_usage_ms,
            delay_sec: VarUint32(settings.delay_sec),
            ..TransactionHeader::default()
        };
        signed.transaction.header.set_reference_block(&reference);
    }
    if settings.sign {
        let chain_id: ChainId = field(&info, "chain_id")?.parse()?;
        let keys = match settings.sign_with.is_empty() {
            true => required_keys(node, &signed.transaction, &signer.public_keys()?)?,
            false => settings.sign_with.clone(),
        };
        signed.signatures.extend(signer.sign(signed, &keys, &chain_id)?);
    }
    Ok(())
}

impl Receipt {
    /// Sends a signed transaction. Where an endpoint did not answer, the same bytes go to another one; that it is there
    /// already is success then.
    pub fn of(node: &Node, signed: &SignedTransaction, settings: &SendSettings) -> Result<Self, ClientError> {
        let packed = PackedTransaction::new(signed, settings.compression);
        let (path, body) = match settings.route {
            Route::Send2 => ("/v1/chain/send_transaction2", send2(&packed, settings)),
            Route::Impersonate => ("/v1/dev/send_transaction", send2(&packed, settings)),
            Route::ReadOnly => ("/v1/chain/send_read_only_transaction", json!({ "transaction": packed })),
            Route::DryRun => ("/v1/chain/compute_transaction", json!({ "transaction": packed })),
            Route::Send => ("/v1/chain/send_transaction", json!(packed)),
            Route::Push => ("/v1/chain/push_transaction", json!(packed)),
        };
        let tried = node.try_call(path, &body);
        match tried.answer {
            Err(ApiError::Fault(fault)) if tried.may_have_run && is_duplicate(&fault) => Ok(Self(sent_before(signed))),
            answer => Ok(Self(answer?)),
        }
    }
}

fn send2(packed: &PackedTransaction, settings: &SendSettings) -> Value {
    let retry = settings.retry_irreversible || settings.retry_num_blocks.is_some();
    let mut body = json!({
        "return_failure_trace": settings.return_failure_trace,
        "retry_trx": retry,
        "transaction": packed,
    });
    if let Some(blocks) = settings.retry_num_blocks {
        body["retry_trx_num_blocks"] = json!(blocks);
    }
    if let Some(wait) = settings.wait {
        body["wait"] = json!(wait.text());
    }
    body
}

fn is_duplicate(fault: &ApiFault) -> bool {
    fault.code == u64::from(FaultKind::TX_DUPLICATE.code)
}

/// The receipt of a transaction whose own answer was lost: only one that was taken is a duplicate later.
fn sent_before(signed: &SignedTransaction) -> Value {
    let id = signed.transaction.id().to_string();
    let status = if signed.transaction.header.delay_sec.0 > 0 { "delayed" } else { "executed" };
    json!({
        "transaction_id": id,
        "processed": { "id": id, "receipt": { "status": status }, "action_traces": [] },
    })
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

/// Those of the available keys that have to sign, as the node picks them.
fn required_keys(
    node: &Node,
    transaction: &Transaction,
    available: &[PublicKey],
) -> Result<Vec<PublicKey>, ClientError> {
    let body = json!({ "transaction": transaction, "available_keys": available });
    let answer = node.call("/v1/chain/get_required_keys", &body)?;
    let keys = answer["required_keys"].as_array().into_iter().flatten().filter_map(Value::as_str);
    Ok(keys.map(str::parse).collect::<Result<_, _>>()?)
}
