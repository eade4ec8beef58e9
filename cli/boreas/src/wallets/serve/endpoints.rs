//! The endpoints of keosd: how each reads its body, and what it answers.

use primitives::variant::{self, type_name};
use primitives::{Bytes, Checksum256, Fault, FaultKind, PublicKey, Signature, SignedTransaction};
use serde_json::{Value, json};

use super::agent::Agent;
use super::fault::Failure;

/// Where keosd's endpoints are declared, line by line.
const PLUGIN: &str = "wallet_api_plugin.cpp";

/// What an endpoint is called with.
enum Body<'a> {
    /// Nothing.
    Nothing,
    /// One value.
    One(Value),
    /// A list of values.
    List(&'a [Value]),
}

/// An endpoint.
pub struct Endpoint {
    /// `/v1/wallet/...`
    pub path: &'static str,
    status: u16,
    takes: Takes,
    run: fn(&Agent, Body<'_>) -> Result<Value, Failure>,
}

#[derive(Clone, Copy)]
enum Takes {
    Nothing,
    One,
    /// So many values; else keosd fails in this line.
    List(usize, u32),
}

/// All but the one that stops the server.
pub const ENDPOINTS: [Endpoint; 14] = [
    endpoint("/v1/wallet/create", 201, Takes::One, |agent, body| Ok(json!(agent.create(&body.text()?)?))),
    endpoint("/v1/wallet/create_key", 201, Takes::List(2, 112), |agent, body| {
        let [name, kind] = body.texts()?;
        Ok(json!(agent.create_key(&name, &kind)?))
    }),
    endpoint("/v1/wallet/get_public_keys", 200, Takes::Nothing, |agent, _| Ok(json!(agent.public_keys()?))),
    endpoint("/v1/wallet/import_key", 201, Takes::List(2, 108), |agent, body| {
        let [name, key] = body.texts()?;
        agent.import(&name, &key).map(nothing)
    }),
    endpoint("/v1/wallet/list_keys", 200, Takes::List(2, 116), |agent, body| {
        let [name, password] = body.texts()?;
        let pairs = agent.pairs(&name, &password)?;
        Ok(pairs.into_iter().map(|(public, private)| json!([public, *private])).collect())
    }),
    endpoint("/v1/wallet/list_wallets", 200, Takes::Nothing, |agent, _| Ok(json!(agent.list()))),
    endpoint("/v1/wallet/lock", 200, Takes::One, |agent, body| agent.lock(&body.text()?).map(nothing)),
    endpoint("/v1/wallet/lock_all", 200, Takes::Nothing, |agent, _| {
        agent.lock_all();
        Ok(nothing(()))
    }),
    endpoint("/v1/wallet/open", 200, Takes::One, |agent, body| agent.open(&body.text()?).map(nothing)),
    endpoint("/v1/wallet/remove_key", 201, Takes::List(3, 110), |agent, body| {
        let [name, password, key] = body.texts()?;
        agent.remove(&name, &password, &key).map(nothing)
    }),
    endpoint("/v1/wallet/set_timeout", 200, Takes::One, |agent, body| {
        let Body::One(value) = body else { return Err(missing()) };
        agent.set_timeout(variant::as_i64(&value).map_err(Failure::unreadable)?).map(nothing)
    }),
    endpoint("/v1/wallet/sign_digest", 201, Takes::List(2, 96), |agent, body| {
        let values = body.values();
        // keosd reads the arguments from the last to the first.
        let key: PublicKey = variant::as_string(&values[1])?.parse()?;
        let signatures = agent.sign(&digest(&values[0])?, &[key], ("wallet_manager.cpp", 266, "sign_digest"))?;
        Ok(json!(signatures[0]))
    }),
    endpoint("/v1/wallet/sign_transaction", 201, Takes::List(3, 94), |agent, body| {
        let values = body.values();
        let chain_id = digest(&values[2])?;
        let mut keys =
            list(&values[1])?.iter().map(|key| variant::as_string(key)?.parse()).collect::<Result<Vec<_>, Fault>>()?;
        keys.sort();
        keys.dedup();
        let mut signed = transaction(&values[0])?;
        let digest = signed.transaction.signing_digest(&chain_id, &signed.context_free_data);
        signed.signatures.extend(agent.sign(&digest, &keys, ("wallet_manager.cpp", 245, "sign_transaction"))?);
        Ok(json!(signed))
    }),
    endpoint("/v1/wallet/unlock", 200, Takes::List(2, 106), |agent, body| {
        let [name, password] = body.texts()?;
        agent.unlock(&name, &password).map(nothing)
    }),
];

const fn endpoint(
    path: &'static str,
    status: u16,
    takes: Takes,
    run: fn(&Agent, Body<'_>) -> Result<Value, Failure>,
) -> Endpoint {
    Endpoint { path, status, takes, run }
}

impl Endpoint {
    /// Answers a request.
    ///
    /// # Errors
    /// What keosd would answer, for a body that it would not read or a wallet that does not do as asked.
    pub fn answer(&self, agent: &Agent, body: &[u8]) -> Result<(u16, Value), Failure> {
        let empty = is_empty(body);
        let value = match self.takes {
            Takes::Nothing if empty => return (self.run)(agent, Body::Nothing).map(|value| (self.status, value)),
            Takes::Nothing => {
                let why = Fault::new(FaultKind::INVALID_HTTP_REQUEST, "no parameter should be given");
                return Err(Failure::unreadable(why));
            }
            _ if empty => {
                let place = ("http_plugin.hpp", 249, "parse_params");
                return Err(Failure::new(FaultKind::INVALID_HTTP_REQUEST, "A Request body is required", place));
            }
            _ => abi::json::from_slice(body).map_err(Failure::unreadable)?,
        };
        let answer = match self.takes {
            Takes::List(count, line) => {
                let values = list(&value).map_err(Failure::unreadable)?;
                if values.len() != count {
                    return Err(missing().at((PLUGIN, line, "operator()")));
                }
                (self.run)(agent, Body::List(values))
            }
            _ => (self.run)(agent, Body::One(value)),
        };
        answer.map(|value| (self.status, value))
    }
}

impl Body<'_> {
    /// The value as a text.
    fn text(&self) -> Result<String, Failure> {
        match self {
            Self::One(value) => variant::as_string(value).map_err(Failure::unreadable),
            _ => Err(missing()),
        }
    }

    fn values(&self) -> &[Value] {
        match self {
            Self::List(values) => values,
            _ => &[],
        }
    }

    /// The values as texts. keosd reads the last one first.
    fn texts<const COUNT: usize>(&self) -> Result<[String; COUNT], Failure> {
        let mut texts = self.values().iter().rev().map(variant::as_string).collect::<Result<Vec<_>, _>>()?;
        texts.reverse();
        texts.try_into().map_err(|_| missing())
    }
}

/// The answer of a call that has nothing to tell.
fn nothing((): ()) -> Value {
    json!({})
}

fn missing() -> Failure {
    Failure::from(Fault::new(FaultKind::INVALID_HTTP_REQUEST, "Missing valid input from POST body"))
}

/// Whether nothing was sent: no bytes, blanks, or an empty object.
fn is_empty(body: &[u8]) -> bool {
    match body.trim_ascii() {
        [] => true,
        [b'{', inside @ .., b'}'] => inside.iter().all(|byte| matches!(byte, b' ' | b'\t')),
        _ => false,
    }
}

fn bad_cast(message: String) -> Fault {
    Fault::new(FaultKind::BAD_CAST_EXCEPTION, message)
}

fn list(value: &Value) -> Result<&[Value], Fault> {
    let items = value.as_array().map(Vec::as_slice);
    items.ok_or_else(|| variant::bad_cast(value, "Array"))
}

/// A digest: a shorter text fills the first bytes, what is too long is cut.
fn digest(value: &Value) -> Result<Checksum256, Fault> {
    let Value::String(text) = value else {
        return Err(bad_cast(format!("Invalid cast from type '{}' to string", type_name(value))));
    };
    let mut digest = Checksum256::default();
    // The last digit of an odd number of them is left out.
    let bytes = primitives::json::bytes_of_hex(text)?;
    let length = bytes.len().min(digest.0.len());
    digest.0[..length].copy_from_slice(&bytes[..length]);
    Ok(digest)
}

fn transaction(value: &Value) -> Result<SignedTransaction, Fault> {
    if !value.is_object() {
        return Err(bad_cast(format!("Invalid cast from type '{}' to Object", type_name(value))));
    }
    let mut value = value.clone();
    for key in ["context_free_actions", "actions"] {
        let actions = value.get_mut(key).and_then(Value::as_array_mut);
        actions.into_iter().flatten().try_for_each(packed_arguments)?;
    }
    let items = |key: &str| value.get(key).map_or(Ok(&[][..]), list);
    let signature = |item: &Value| -> Result<Signature, Fault> { variant::as_string(item)?.parse() };
    let bytes = |item: &Value| Ok(Bytes(primitives::json::bytes_of_hex(&variant::as_string(item)?)?));
    Ok(SignedTransaction {
        transaction: abi::present::transaction_from(&value, &mut |_| Ok(None), &abi::Limits::default())?,
        signatures: items("signatures")?.iter().map(signature).collect::<Result<_, _>>()?,
        context_free_data: items("context_free_data")?.iter().map(bytes).collect::<Result<_, Fault>>()?,
    })
}

/// keosd knows no ABIs: an action's arguments are bytes, or none.
fn packed_arguments(action: &mut Value) -> Result<(), Fault> {
    match action.get("data") {
        Some(Value::String(hex)) => drop(primitives::json::bytes_of_hex(hex)?),
        Some(other) => return Err(bad_cast(format!("Invalid cast from type '{}' to string", type_name(other)))),
        None => {
            if let Some(fields) = action.as_object_mut() {
                fields.insert("data".to_owned(), json!(""));
            }
        }
    }
    Ok(())
}
