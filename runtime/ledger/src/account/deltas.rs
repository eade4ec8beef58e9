//! Accounts in deltas: `account` and `account_metadata`. The rows of limits and usage are those of `resource`.

use codec::Pack;
use primitives::Checksum256;

use super::{AccountMetadata, AccountUndo};
use crate::Ledger;
use crate::deltas::rows::{Before, ChangesOf, DeltaTable, Never, VERSION_0};
use crate::keys::AccountId;
use crate::resource::{LimitsDelta, UsageDelta};

/// `account`.
pub(crate) struct InfoDelta;

/// `account_metadata`.
pub(crate) struct MetadataDelta;

impl DeltaTable for InfoDelta {
    const NAME: &'static str = "account";
    type Key = AccountId;
    type Old<'a> = ();
    type Gone<'a> = Never;

    fn keys(ledger: &Ledger) -> Vec<AccountId> {
        ledger.accounts().collect()
    }

    fn write(ledger: &Ledger, account: AccountId, out: &mut Vec<u8>) {
        let info = ledger.account_info(account);
        VERSION_0.pack(out);
        info.name.pack(out);
        info.creation_date.pack(out);
        info.abi.pack(out);
    }

    fn write_gone(_ledger: &Ledger, gone: &Never, _before: &Before, _out: &mut Vec<u8>) {
        match *gone {}
    }
}

impl DeltaTable for MetadataDelta {
    const NAME: &'static str = "account_metadata";
    type Key = AccountId;
    type Old<'a> = &'a AccountMetadata;
    type Gone<'a> = Never;

    fn keys(ledger: &Ledger) -> Vec<AccountId> {
        ledger.accounts().collect()
    }

    /// Sequences alone are not told.
    fn is_told(ledger: &Ledger, account: AccountId, old: Option<&&AccountMetadata>, before: &Before) -> bool {
        let Some(old) = old else { return false };
        let now = ledger.account_metadata(account);
        let old_code = old.code.map_or_else(Checksum256::default, |code| {
            before.codes.get(&code).map_or_else(|| ledger.code(code).code_hash, |key| key.0)
        });
        old.is_privileged() != now.is_privileged()
            || (old.last_code_update, old.vm_type, old.vm_version)
                != (now.last_code_update, now.vm_type, now.vm_version)
            || old_code != ledger.account_code_hash(account)
    }

    fn write(ledger: &Ledger, account: AccountId, out: &mut Vec<u8>) {
        let (metadata, code_hash) = (ledger.account_metadata(account), ledger.account_code_hash(account));
        let code = metadata.code.map(|_| (metadata.vm_type, metadata.vm_version, code_hash));
        VERSION_0.pack(out);
        ledger.account_name(account).pack(out);
        metadata.is_privileged().pack(out);
        metadata.last_code_update.pack(out);
        code.pack(out);
    }

    fn write_gone(_ledger: &Ledger, gone: &Never, _before: &Before, _out: &mut Vec<u8>) {
        match *gone {}
    }
}

impl AccountUndo {
    /// Says which rows this is of.
    pub(crate) fn tell<'a>(
        &'a self,
        walk: &mut (
                 impl ChangesOf<'a, InfoDelta>
                 + ChangesOf<'a, MetadataDelta>
                 + ChangesOf<'a, LimitsDelta>
                 + ChangesOf<'a, UsageDelta>
             ),
    ) {
        match self {
            Self::Created(account) => {
                ChangesOf::<InfoDelta>::created(walk, *account);
                ChangesOf::<MetadataDelta>::created(walk, *account);
                ChangesOf::<LimitsDelta>::created(walk, *account);
                ChangesOf::<UsageDelta>::created(walk, *account);
            }
            Self::Metadata(account, old) => ChangesOf::<MetadataDelta>::changed_from(walk, *account, &**old),
            Self::RecvSequence(account) | Self::AuthSequence(account) => {
                ChangesOf::<MetadataDelta>::changed(walk, *account);
            }
            Self::Abi(account, _) => ChangesOf::<InfoDelta>::changed(walk, *account),
            Self::RamCorrection(..) => {}
        }
    }
}
