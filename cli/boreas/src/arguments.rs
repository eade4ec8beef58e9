//! Arguments with a meaning of their own: permissions, authorities.

use anyhow::{Context, bail};
use primitives::{Authority, Name, PermissionLevel, PublicKey};

/// `account` or `account@permission`; the permission is `active` when not given.
pub fn permission(text: &str) -> anyhow::Result<PermissionLevel> {
    let (actor, permission) = text.split_once('@').unwrap_or((text, "active"));
    Ok(PermissionLevel { actor: name(actor)?, permission: name(permission)? })
}

/// A name, with the rule when it is none.
pub fn name(text: &str) -> anyhow::Result<Name> {
    let is_one = "up to 12 characters of a-z, 1-5 and dot (a 13th of a-j, 1-5 and dot), no dot at the end";
    text.parse::<Name>().map_err(|_| anyhow::anyhow!("{text:?} is not a name, which has {is_one}"))
}

/// A key, `account@permission`, or an authority as JSON or in a file.
pub fn authority(text: &str) -> anyhow::Result<Authority> {
    match text.parse::<PublicKey>() {
        Ok(key) => return Ok(Authority::of_key(key)),
        Err(_) if text.starts_with("EOS") || text.starts_with("PUB_") => {
            bail!("Invalid public key: {text}: a character is wrong or missing");
        }
        Err(_) => {}
    }
    if text.contains('@') {
        return Ok(Authority::of_permission(permission(text)?));
    }
    let value = crate::json::text_or_file(text)
        .with_context(|| format!("{text:?} is neither a public key, nor account@permission, nor an authority"))?;
    serde_json::from_value(value).context("Authority should be specified as its JSON form")
}
