//! What an ABI says, in binary and JSON.

use codec::{Bytes, DecodeError, Pack, Reader, Sink, Unpack};
use primitives::Name;
use serde::{Deserialize, Serialize};

use crate::text::Text;

/// A new name for a type.
#[derive(Debug, Clone, PartialEq, Eq, Default, Pack, Unpack, Serialize, Deserialize)]
#[serde(default)]
pub struct TypeDefinition {
    /// The new name.
    pub new_type_name: Text,
    /// What it stands for.
    #[serde(rename = "type")]
    pub kind: Text,
}

/// A field of a struct.
#[derive(Debug, Clone, PartialEq, Eq, Default, Pack, Unpack, Serialize, Deserialize)]
#[serde(default)]
pub struct FieldDefinition {
    /// The field.
    pub name: Text,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: Text,
}

/// A struct.
#[derive(Debug, Clone, PartialEq, Eq, Default, Pack, Unpack, Serialize, Deserialize)]
#[serde(default)]
pub struct StructDefinition {
    /// Its name.
    pub name: Text,
    /// A struct whose fields come first; empty for none.
    pub base: Text,
    /// Its fields in order.
    pub fields: Vec<FieldDefinition>,
}

/// An action.
#[derive(Debug, Clone, PartialEq, Eq, Default, Pack, Unpack, Serialize, Deserialize)]
#[serde(default)]
pub struct ActionDefinition {
    /// The action.
    pub name: Name,
    /// Type of its arguments.
    #[serde(rename = "type")]
    pub kind: Text,
    /// What it means in law.
    pub ricardian_contract: Text,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq, Default, Pack, Unpack, Serialize, Deserialize)]
#[serde(default)]
pub struct TableDefinition {
    /// The table.
    pub name: Name,
    /// Kind of its primary index: `i64`.
    pub index_type: Text,
    /// Names of keys.
    pub key_names: Vec<Text>,
    /// Types of keys.
    pub key_types: Vec<Text>,
    /// Type of its rows.
    #[serde(rename = "type")]
    pub kind: Text,
}

/// A clause that all actions share.
#[derive(Debug, Clone, PartialEq, Eq, Default, Pack, Unpack, Serialize, Deserialize)]
#[serde(default)]
pub struct ClausePair {
    /// Its name.
    pub id: Text,
    /// Its text.
    pub body: Text,
}

/// The text of an `eosio_assert_code`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Pack, Unpack, Serialize, Deserialize)]
#[serde(default)]
pub struct ErrorMessage {
    /// The code.
    #[serde(with = "primitives::json::integer")]
    pub error_code: u64,
    /// Its text.
    pub error_msg: Text,
}

/// A type that is one of several.
#[derive(Debug, Clone, PartialEq, Eq, Default, Pack, Unpack, Serialize, Deserialize)]
#[serde(default)]
pub struct VariantDefinition {
    /// Its name.
    pub name: Text,
    /// Its cases in order.
    pub types: Vec<Text>,
}

/// The type of an action's return value.
#[derive(Debug, Clone, PartialEq, Eq, Default, Pack, Unpack, Serialize, Deserialize)]
#[serde(default)]
pub struct ActionResultDefinition {
    /// The action.
    pub name: Name,
    /// The type.
    pub result_type: Text,
}

/// An ABI as written. The last two parts came with later versions and may be missing in the bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AbiDefinition {
    /// `eosio::abi/1.` and a digit.
    pub version: Text,
    /// New names of types.
    pub types: Vec<TypeDefinition>,
    /// Structs.
    pub structs: Vec<StructDefinition>,
    /// Actions.
    pub actions: Vec<ActionDefinition>,
    /// Tables.
    pub tables: Vec<TableDefinition>,
    /// Clauses.
    pub ricardian_clauses: Vec<ClausePair>,
    /// Texts of error codes.
    pub error_messages: Vec<ErrorMessage>,
    /// `(id, bytes)`, ascending by id.
    pub abi_extensions: Vec<(u16, Bytes)>,
    /// Variants (1.1).
    pub variants: Vec<VariantDefinition>,
    /// Return values (1.2).
    pub action_results: Vec<ActionResultDefinition>,
}

/// Bytes of the packed empty ABI: up to this size an account has none (nodeos: `is_empty_abi`).
const EMPTY_ABI_BYTES: usize = 4;

impl AbiDefinition {
    /// Reads the ABI that an account stores; `None` when the account has none.
    ///
    /// # Errors
    /// The bytes are not those of an ABI.
    pub fn from_account(bytes: &[u8]) -> Result<Option<Self>, DecodeError> {
        if bytes.len() <= EMPTY_ABI_BYTES { Ok(None) } else { Self::from_prefix(bytes).map(Some) }
    }
}

impl Pack for AbiDefinition {
    fn pack<S: Sink + ?Sized>(&self, out: &mut S) {
        self.version.pack(out);
        self.types.pack(out);
        self.structs.pack(out);
        self.actions.pack(out);
        self.tables.pack(out);
        self.ricardian_clauses.pack(out);
        self.error_messages.pack(out);
        self.abi_extensions.pack(out);
        self.variants.pack(out);
        self.action_results.pack(out);
    }
}

impl Unpack for AbiDefinition {
    fn unpack(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            version: Unpack::unpack(input)?,
            types: Unpack::unpack(input)?,
            structs: Unpack::unpack(input)?,
            actions: Unpack::unpack(input)?,
            tables: Unpack::unpack(input)?,
            ricardian_clauses: Unpack::unpack(input)?,
            error_messages: Unpack::unpack(input)?,
            abi_extensions: Unpack::unpack(input)?,
            variants: later(input)?,
            action_results: later(input)?,
        })
    }
}

/// A part that older ABIs end before (`may_not_exist`).
fn later<T: Unpack + Default>(input: &mut Reader<'_>) -> Result<T, DecodeError> {
    if input.remaining() == 0 { Ok(T::default()) } else { T::unpack(input) }
}
