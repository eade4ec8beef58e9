//! Arguments with a meaning of their own: permissions, authorities.

use anyhow::Context;
use primitives::{Authority, Name, PermissionLevel, PublicKey};

/// `account` or `account@permission`; the permission is `active` when not given.
pub fn permission(text: &str) -> anyhow::Result<PermissionLevel> {
    let (actor, permission) = text.split_once('@').unwrap_or((text, "active"));
    Ok(PermissionLevel { actor: name(actor)?, permission: name(permission)? })
}

/// A name, with the rule when it is none.
pub fn name(text: &str) -> anyhow::Result<Name> {
    text.parse::<Name>().map_err(|fault| {
        anyhow::anyhow!("{text:?} is not a name: up to 12 characters of a-z, 1-5 and dot are ({})", fault.kind.name)
    })
}

/// A key, `account@permission`, or an authority as JSON or in a file.
pub fn authority(text: &str) -> anyhow::Result<Authority> {
    if let Ok(key) = text.parse::<PublicKey>() {
        return Ok(Authority::of_key(key));
    }
    if text.contains('@') {
        return Ok(Authority::of_permission(permission(text)?));
    }
    let value = crate::json::text_or_file(text)
        .with_context(|| format!("{text:?} is neither a public key, nor account@permission, nor an authority"))?;
    serde_json::from_value(value).context("Authority should be specified as its JSON form")
}
