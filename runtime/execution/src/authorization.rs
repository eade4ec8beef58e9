//! Who may order what: declared authorities against permissions, links, keys and delays, with the special rules of
//! the actions that change permissions (nodeos: authorization_manager.cpp).

use std::collections::{BTreeMap, HashSet};

use ledger::config::{ACTIVE, EOSIO_ANY, SYSTEM_ACCOUNT};
use ledger::{Ledger, PermissionId};
use primitives::message::{MESSAGE_MAX, Part, message};
use primitives::{Action, Authority, Fault, FaultKind, Name, PermissionLevel, PublicKey, Transaction, ensure};

use crate::authority_checker::{AuthorityChecker, AuthorityLookup, Means};
use crate::fault::{Outcome, unpack_prefix};
use crate::features::{Feature, FeatureSet};
use crate::system_actions::{
    CANCELDELAY, CancelDelay, DELETEAUTH, DeleteAuth, LINKAUTH, LinkAuth, UNLINKAUTH, UPDATEAUTH, UnlinkAuth,
    UpdateAuth,
};
use crate::world::World;

/// What was provided to satisfy declared authorities.
#[derive(Debug, Clone, Copy, Default)]
pub struct Provided<'a> {
    /// Keys that signed, ascending and unique.
    pub keys: &'a [PublicKey],
    /// Permissions that hold anyway, ascending and unique.
    pub permissions: &'a [PermissionLevel],
    /// Delay in microseconds.
    pub delay_us: i64,
    /// Whether keys may be left over.
    pub allow_unused_keys: bool,
    /// Whether only malformed declarations fail, not unsatisfied ones (dry run).
    pub check_but_dont_fail: bool,
    /// Declarations that need no check.
    pub satisfied: &'a [PermissionLevel],
}

impl<'a> Provided<'a> {
    fn means(&self, delay_us: i64) -> Means<'a> {
        Means { keys: self.keys, permissions: self.permissions, delay_us }
    }
}

/// Authorities of the ledger's permissions.
pub struct LedgerAuthorities<'a>(pub &'a Ledger);

impl AuthorityLookup for LedgerAuthorities<'_> {
    fn authority(&self, level: PermissionLevel) -> Option<&Authority> {
        let permission = self.0.find_permission(level).ok().flatten()?;
        Some(&self.0.permission(permission).auth)
    }
}

/// A permission as nodeos prints it in messages.
pub(crate) fn level_text(level: PermissionLevel) -> String {
    format!("{{\"actor\":\"{}\",\"permission\":\"{}\"}}", level.actor, level.permission)
}

fn levels_text(levels: &[PermissionLevel]) -> String {
    list_text(levels.iter().map(|level| level_text(*level)))
}

fn keys_text<'a>(keys: impl IntoIterator<Item = &'a PublicKey>) -> String {
    list_text(keys.into_iter().map(|key| format!("\"{key}\"")))
}

/// A list in JSON. One that is too long for a message ends where that shows.
fn list_text(items: impl Iterator<Item = String>) -> String {
    let mut text = String::from("[");
    for item in items {
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(&item);
        if text.len() > MESSAGE_MAX {
            break;
        }
    }
    text.push(']');
    text
}

/// The chain's rules, as far as authorization needs them.
pub(crate) struct Authorizer<'a> {
    pub ledger: &'a Ledger,
    pub features: FeatureSet,
    pub checktime: &'a dyn Fn() -> Outcome,
}

impl World {
    /// Checks the declared authorities of actions (`authorization_manager::check_authorization`).
    pub(crate) fn check_authorization<'a>(
        &self,
        actions: impl IntoIterator<Item = &'a Action>,
        provided: Provided<'_>,
    ) -> Outcome {
        let checktime = || self.checktime();
        let authorizer = Authorizer { ledger: &self.ledger, features: self.features, checktime: &checktime };
        authorizer.check_actions(actions, provided)
    }

    /// Checks one permission (`authorization_manager::check_authorization`, second form).
    pub(crate) fn check_permission(&self, level: PermissionLevel, provided: Provided<'_>) -> Outcome {
        let config = &self.config().v0;
        let authorities = LedgerAuthorities(&self.ledger);
        let means = provided.means(effective_delay_us(provided.delay_us, config.max_transaction_delay));
        let checktime = || self.checktime();
        let mut checker = AuthorityChecker::new(&authorities, config.max_authority_depth, means, &checktime);
        checktime()?;
        if !checker.satisfied(level)? {
            let was_not = "permission '${auth}' was not satisfied under";
            return Err(unsatisfied(was_not, level, provided, config.max_transaction_delay));
        }
        if !(provided.allow_unused_keys || checker.all_keys_used()) {
            return Err(irrelevant_keys("irrelevant keys provided: ${keys}", checker.unused_keys()));
        }
        Ok(())
    }
}

/// Which of some keys a transaction must be signed with (`get_required_keys`).
#[derive(Debug)]
pub struct RequiredKeys {
    /// Declared, each once, in the order of the transaction.
    levels: Vec<PermissionLevel>,
    /// Ascending and unique.
    candidates: Vec<PublicKey>,
    /// The transaction's own delay counts as provided.
    delay_us: i64,
}

impl RequiredKeys {
    /// Asks for those of `trx` out of `candidates`.
    pub fn new(trx: &Transaction, mut candidates: Vec<PublicKey>) -> Self {
        candidates.sort_unstable();
        candidates.dedup();
        let mut seen = HashSet::new();
        let declared = trx.actions.iter().flat_map(|action| &action.authorization);
        // The same one again needs the same keys.
        let levels = declared.filter(|level| seen.insert(**level)).copied().collect();
        Self { levels, candidates, delay_us: i64::from(trx.header.delay_sec.0) * 1_000_000 }
    }

    /// The keys, ascending. `checktime` ends a search that takes too long: it is asked for each declared permission, and as
    /// [`AuthorityChecker`] does.
    ///
    /// # Errors
    /// `unsatisfied_authorization` when all candidates are not enough, and those of the clock.
    pub fn find(&self, ledger: &Ledger, checktime: &dyn Fn() -> Outcome) -> Outcome<Vec<PublicKey>> {
        let authorities = LedgerAuthorities(ledger);
        let depth_limit = ledger.global_property().configuration.v0.max_authority_depth;
        let means = Means { keys: &self.candidates, permissions: &[], delay_us: self.delay_us };
        let mut checker = AuthorityChecker::new(&authorities, depth_limit, means, checktime);
        for level in &self.levels {
            checktime()?;
            ensure!(!level.actor.is_empty() && !level.permission.is_empty(), INVALID_PERMISSION, "Invalid permission");
            ensure!(
                checker.satisfied(*level)?,
                UNSATISFIED_AUTHORIZATION,
                "transaction declares authority '{}', but does not have signatures for it.",
                level_text(*level)
            );
        }
        Ok(checker.used_keys().cloned().collect())
    }
}

/// A delay as long as the longest possible one satisfies every wait.
fn effective_delay_us(delay_us: i64, max_delay_sec: u32) -> i64 {
    if delay_us >= i64::from(max_delay_sec) * 1_000_000 { i64::MAX } else { delay_us }
}

/// `what` names the level as `${auth}`.
#[cold]
fn unsatisfied(what: &str, level: PermissionLevel, provided: Provided<'_>, max_delay_sec: u32) -> Fault {
    let format = format!(
        "{what} a provided delay of ${{provided_delay}} ms, provided permissions ${{provided_permissions}}, \
         provided keys ${{provided_keys}}, and a delay max limit of ${{delay_max_limit_ms}} ms"
    );
    let text = message(
        &format,
        &[
            ("auth", Part::Json(level_text(level))),
            ("provided_delay", Part::Number(provided.delay_us / 1000)),
            ("provided_permissions", Part::Json(levels_text(provided.permissions))),
            ("provided_keys", Part::Json(keys_text(provided.keys))),
            ("delay_max_limit_ms", Part::Number(i64::from(max_delay_sec) * 1000)),
        ],
    );
    Fault::new(FaultKind::UNSATISFIED_AUTHORIZATION, text)
}

#[cold]
fn irrelevant_keys<'a>(format: &str, keys: impl Iterator<Item = &'a PublicKey>) -> Fault {
    Fault::new(FaultKind::TX_IRRELEVANT_SIG, message(format, &[("keys", Part::Json(keys_text(keys)))]))
}

/// The declared authorization of an action that must have exactly one.
fn only_level(action: &Action, what: &str) -> Outcome<PermissionLevel> {
    ensure!(
        action.authorization.len() == 1,
        IRRELEVANT_AUTH_EXCEPTION,
        "{what} action should only have one declared authorization"
    );
    Ok(action.authorization[0])
}

impl Authorizer<'_> {
    fn check_actions<'a>(&self, actions: impl IntoIterator<Item = &'a Action>, provided: Provided<'_>) -> Outcome {
        let config = &self.ledger.global_property().configuration.v0;
        let delay_us = effective_delay_us(provided.delay_us, config.max_transaction_delay);
        let mut to_satisfy: BTreeMap<PermissionLevel, i64> = BTreeMap::new();
        for action in actions {
            // Contracts ask about as many as their memory holds.
            (self.checktime)()?;
            let special = self.check_special_action(action)?;
            let delay_us = special.map_or(delay_us, |extra_us| delay_us.max(extra_us));
            for &level in &action.authorization {
                (self.checktime)()?;
                if special.is_none() {
                    self.check_minimum_permission(action, level)?;
                }
                if !provided.satisfied.contains(&level) {
                    let least = to_satisfy.entry(level).or_insert(delay_us);
                    *least = (*least).min(delay_us);
                }
            }
        }
        let authorities = LedgerAuthorities(self.ledger);
        let depth_limit = config.max_authority_depth;
        let mut checker = AuthorityChecker::new(&authorities, depth_limit, provided.means(delay_us), self.checktime);
        for (&level, &delay_us) in &to_satisfy {
            (self.checktime)()?;
            if !(checker.satisfied_with_delay(level, delay_us)? || provided.check_but_dont_fail) {
                let lacks = "transaction declares authority '${auth}', but does not have signatures for it under";
                return Err(unsatisfied(lacks, level, provided, config.max_transaction_delay));
            }
        }
        if !(provided.allow_unused_keys || checker.all_keys_used() || provided.check_but_dont_fail) {
            let format = "transaction bears irrelevant signatures from these keys: ${keys}";
            return Err(irrelevant_keys(format, checker.unused_keys()));
        }
        Ok(())
    }

    /// The rules of actions that change permissions; `None` for all other actions. The delay in microseconds is what
    /// canceling adds.
    fn check_special_action(&self, action: &Action) -> Outcome<Option<i64>> {
        if action.account != SYSTEM_ACCOUNT {
            return Ok(None);
        }
        match action.name {
            UPDATEAUTH => self.check_updateauth(action)?,
            DELETEAUTH => self.check_deleteauth(action)?,
            LINKAUTH => self.check_linkauth(action)?,
            UNLINKAUTH => self.check_unlinkauth(action)?,
            CANCELDELAY => return self.check_canceldelay(action).map(Some),
            _ => return Ok(None),
        }
        Ok(Some(0))
    }

    /// The declared permission must be the linked one or stand above it.
    fn check_minimum_permission(&self, action: &Action, level: PermissionLevel) -> Outcome {
        let Some(minimum) = self.minimum_permission(level.actor, action.account, action.name)? else { return Ok(()) };
        if minimum == level.permission {
            // The same permission: only its existence is left to see.
            return self.ledger.get_permission(level).map(drop);
        }
        let minimum = PermissionLevel { actor: level.actor, permission: minimum };
        let minimum_id = self.ledger.get_permission(minimum)?;
        self.satisfies(level, minimum_id, "action declares irrelevant authority", "minimum authority is")
    }

    fn satisfies(&self, level: PermissionLevel, minimum: PermissionId, declares: &str, is: &str) -> Outcome {
        let declared = self.ledger.get_permission(level)?;
        if self.ledger.permission_satisfies(declared, minimum) {
            return Ok(());
        }
        let minimum = self.ledger.permission(minimum);
        let minimum = PermissionLevel { actor: minimum.owner, permission: minimum.name };
        Err(Fault::new(
            FaultKind::IRRELEVANT_AUTH_EXCEPTION,
            format!("{declares} '{}'; {is} {}", level_text(level), level_text(minimum)),
        ))
    }

    /// The linked permission, `active` without a link, none for `eosio.any` (`lookup_minimum_permission`).
    fn minimum_permission(&self, account: Name, code: Name, action: Name) -> Outcome<Option<Name>> {
        let special = [UPDATEAUTH, DELETEAUTH, LINKAUTH, UNLINKAUTH, CANCELDELAY].contains(&action);
        ensure!(
            !(special && code == SYSTEM_ACCOUNT),
            UNLINKABLE_MIN_PERMISSION_ACTION,
            "cannot call lookup_minimum_permission on native actions that are not allowed to be linked to minimum \
             permissions"
        );
        Ok(match self.ledger.lookup_linked_permission(account, code, action) {
            None => Some(ACTIVE),
            Some(EOSIO_ANY) => None,
            linked => linked,
        })
    }

    fn check_updateauth(&self, action: &Action) -> Outcome {
        let update: UpdateAuth = unpack_prefix(&action.data)?;
        let level = only_level(action, "updateauth")?;
        ensure!(
            level.actor == update.account,
            IRRELEVANT_AUTH_EXCEPTION,
            "the owner of the affected permission needs to be the actor of the declared authorization"
        );
        let changed = PermissionLevel { actor: update.account, permission: update.permission };
        let minimum = match self.ledger.find_permission(changed)? {
            Some(permission) => permission,
            None => self.ledger.get_permission(PermissionLevel { permission: update.parent, ..changed })?,
        };
        self.satisfies(level, minimum, "updateauth action declares irrelevant authority", "minimum authority is")
    }

    fn check_deleteauth(&self, action: &Action) -> Outcome {
        let delete: DeleteAuth = unpack_prefix(&action.data)?;
        let level = only_level(action, "deleteauth")?;
        ensure!(
            level.actor == delete.account,
            IRRELEVANT_AUTH_EXCEPTION,
            "the owner of the permission to delete needs to be the actor of the declared authorization"
        );
        let minimum =
            self.ledger.get_permission(PermissionLevel { actor: delete.account, permission: delete.permission })?;
        self.satisfies(level, minimum, "updateauth action declares irrelevant authority", "minimum authority is")
    }

    fn check_linkauth(&self, action: &Action) -> Outcome {
        let link: LinkAuth = unpack_prefix(&action.data)?;
        let level = only_level(action, "link")?;
        ensure!(
            level.actor == link.account,
            IRRELEVANT_AUTH_EXCEPTION,
            "the owner of the linked permission needs to be the actor of the declared authorization"
        );
        if link.code == SYSTEM_ACCOUNT || !self.features.has(Feature::FixLinkauthRestriction) {
            for special in [UPDATEAUTH, DELETEAUTH, LINKAUTH, UNLINKAUTH, CANCELDELAY] {
                ensure!(
                    link.action != special,
                    ACTION_VALIDATE_EXCEPTION,
                    "Cannot link eosio::{special} to a minimum permission"
                );
            }
        }
        match self.minimum_permission(link.account, link.code, link.action)? {
            Some(minimum) => self.satisfies_named(level, minimum, "link action declares irrelevant authority"),
            None => Ok(()),
        }
    }

    fn check_unlinkauth(&self, action: &Action) -> Outcome {
        let unlink: UnlinkAuth = unpack_prefix(&action.data)?;
        let level = only_level(action, "unlink")?;
        ensure!(
            level.actor == unlink.account,
            IRRELEVANT_AUTH_EXCEPTION,
            "the owner of the linked permission needs to be the actor of the declared authorization"
        );
        match self.ledger.lookup_linked_permission(unlink.account, unlink.code, unlink.action) {
            None => Err(Fault::new(
                FaultKind::TRANSACTION_EXCEPTION,
                format!(
                    "cannot unlink non-existent permission link of account '{}' for actions matching '{}::{}'",
                    unlink.account, unlink.code, unlink.action
                ),
            )),
            Some(EOSIO_ANY) => Ok(()),
            Some(linked) => self.satisfies_named(level, linked, "unlink action declares irrelevant authority"),
        }
    }

    /// As [`Self::satisfies`], against a permission of the declared actor that may be missing.
    fn satisfies_named(&self, level: PermissionLevel, minimum: Name, declares: &str) -> Outcome {
        self.ledger.get_permission(level)?;
        let minimum = self.ledger.get_permission(PermissionLevel { actor: level.actor, permission: minimum })?;
        self.satisfies(level, minimum, declares, "minimum authority is")
    }

    /// Returns the delay of the transaction to cancel: signatures that could order it can cancel it.
    fn check_canceldelay(&self, action: &Action) -> Outcome<i64> {
        let cancel: CancelDelay = unpack_prefix(&action.data)?;
        let level = only_level(action, "canceldelay")?;
        self.ledger.get_permission(level)?;
        let minimum = self.ledger.get_permission(cancel.canceling_auth)?;
        self.satisfies(
            level,
            minimum,
            "canceldelay action declares irrelevant authority",
            "specified authority to satisfy is",
        )?;
        let found = self.ledger.generated_by_trx_id(cancel.trx_id).map(|id| self.ledger.generated(id));
        let Some(generated) = found.filter(|generated| generated.sender.is_empty()) else {
            let message = format!(
                "cannot cancel trx_id={}, there is no deferred transaction with that transaction id",
                cancel.trx_id
            );
            return Err(Fault::new(FaultKind::TX_NOT_FOUND, message));
        };
        let trx: Transaction = unpack_prefix(&generated.packed_trx)?;
        let declared = trx.actions.iter().flat_map(|action| &action.authorization);
        ensure!(
            declared.into_iter().any(|level| *level == cancel.canceling_auth),
            ACTION_VALIDATE_EXCEPTION,
            "canceling_auth in canceldelay action was not found as authorization in the original delayed transaction"
        );
        Ok(generated.delay_until.0 - generated.published.0)
    }
}
