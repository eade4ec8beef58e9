//! The rows of REX, as the reference contract lays them out.

use core::ops::{Deref, DerefMut};
use sdk::index::{IndexOf, SecondaryKey, remove_key, update_key};
use sdk::prelude::*;
use sdk::table::Row;

/// What is called REX: a share of the pool.
pub const REX_SYMBOL: Symbol = Symbol::new(SymbolCode::new("REX"), 4);
/// A time that is never reached: that of savings, and of a bucket that is not there.
pub const NEVER: TimePointSec = TimePointSec(u32::MAX);

/// An amount that is due at a time.
pub type Bucket = (TimePointSec, i64);

/// The pool: what its shareholders lend and earn.
#[table("rexpool", primary = 0u64)]
#[abi(name = "rex_pool")]
pub struct RexPool {
    /// 0.
    pub version: u8,
    /// In loans.
    pub total_lent: Asset,
    /// Not in loans.
    pub total_unlent: Asset,
    /// The other side of the market for loans: what was paid for them.
    pub total_rent: Asset,
    /// Both: what the shares are worth.
    pub total_lendable: Asset,
    /// All shares.
    pub total_rex: Asset,
    /// Nothing any more.
    pub namebid_proceeds: Asset,
    /// The number of the last loan.
    pub loan_num: u64,
}

/// Proceeds on their way into the pool.
#[table("rexretpool", primary = 0u64)]
#[abi(name = "rex_return_pool")]
pub struct ReturnPool {
    /// 0.
    pub version: u8,
    /// Up to when they have been paid in.
    pub last_dist_time: TimePointSec,
    /// When the bucket that is being filled begins to be paid.
    pub pending_bucket_time: TimePointSec,
    /// When the oldest bucket began.
    pub oldest_bucket_time: TimePointSec,
    /// What is in the bucket that is being filled.
    pub pending_bucket_proceeds: i64,
    /// What all buckets pay in an interval.
    pub current_rate_of_increase: i64,
    /// What is still to be paid.
    pub proceeds: i64,
}

/// What each bucket pays in an interval, by when it began.
#[table("retbuckets", primary = 0u64)]
#[abi(name = "rex_return_buckets")]
pub struct ReturnBuckets {
    /// 0.
    pub version: u8,
    /// By time.
    pub return_buckets: Vec<Bucket>,
}

/// What an account has deposited to buy REX and loans with.
#[table("rexfund")]
#[abi(name = "rex_fund")]
pub struct RexFund {
    /// 0.
    pub version: u8,
    /// The account.
    #[primary]
    pub owner: Name,
    /// How much.
    pub balance: Asset,
}

/// The shares of an account.
#[table("rexbal")]
#[abi(name = "rex_balance")]
pub struct RexBalance {
    /// 0.
    pub version: u8,
    /// The account.
    #[primary]
    pub owner: Name,
    /// What they count in its vote.
    pub vote_stake: Asset,
    /// How many.
    pub rex_balance: Asset,
    /// How many of them can be sold.
    pub matured_rex: i64,
    /// When the others can; savings last.
    pub rex_maturities: Vec<Bucket>,
}

/// A loan.
#[derive(Record)]
#[abi(name = "rex_loan")]
pub struct RexLoan {
    /// 0.
    pub version: u8,
    /// Who pays.
    pub from: Name,
    /// Who may use it.
    pub receiver: Name,
    /// The price of thirty days.
    pub payment: Asset,
    /// What is left to renew it with.
    pub balance: Asset,
    /// What is lent.
    pub total_staked: Asset,
    /// Its number.
    pub loan_num: u64,
    /// When it ends or is renewed.
    pub expiration: TimePoint,
}

/// A loan of CPU time.
pub struct CpuLoan(RexLoan);

/// A loan of network bandwidth: the same row in another table.
pub struct NetLoan(RexLoan);

/// Both kinds of loans.
pub trait Loan: Row + From<RexLoan> + Deref<Target = RexLoan> + DerefMut {
    /// By when they end.
    const EXPIRATIONS: IndexOf<Self, u64>;
    /// By who pays.
    const OWNERS: IndexOf<Self, Name>;
    /// Whether they are of CPU time.
    const CPU: bool;
}

macro_rules! loans {
    ($($kind:ident, $table:literal, $cpu:literal;)+) => { $(
        impl Loan for $kind {
            const EXPIRATIONS: IndexOf<Self, u64> = IndexOf::new(0);
            const OWNERS: IndexOf<Self, Name> = IndexOf::new(1);
            const CPU: bool = $cpu;
        }

        impl From<RexLoan> for $kind {
            fn from(loan: RexLoan) -> Self {
                Self(loan)
            }
        }

        impl Deref for $kind {
            type Target = RexLoan;
            fn deref(&self) -> &RexLoan {
                &self.0
            }
        }

        impl DerefMut for $kind {
            fn deref_mut(&mut self) -> &mut RexLoan {
                &mut self.0
            }
        }

        impl Pack for $kind {
            fn pack(&self, out: &mut Writer) {
                self.0.pack(out);
            }
        }

        impl<'a> Unpack<'a> for $kind {
            fn unpack(reader: &mut Reader<'a>) -> Self {
                Self(RexLoan::unpack(reader))
            }
        }

        impl Row for $kind {
            const TABLE: Name = name!($table);
            type Secondary = (u64, Name);

            fn primary_key(&self) -> u64 {
                self.loan_num
            }

            fn secondary(&self) -> Self::Secondary {
                (self.expiration.0 as u64, self.from)
            }

            fn store_secondary(&self, scope: u64, payer: Name) {
                let (expiration, owner) = self.secondary();
                expiration.store(scope, Self::EXPIRATIONS.table(), payer, self.loan_num);
                owner.store(scope, Self::OWNERS.table(), payer, self.loan_num);
            }

            fn update_secondary(&self, before: &Self::Secondary, code: Name, scope: u64, payer: Name) {
                let (expiration, owner) = self.secondary();
                let id = self.loan_num;
                update_key(&before.0, &expiration, code, scope, Self::EXPIRATIONS.table(), payer, id);
                update_key(&before.1, &owner, code, scope, Self::OWNERS.table(), payer, id);
            }

            fn remove_secondary(&self, code: Name, scope: u64) {
                remove_key::<u64>(code, scope, Self::EXPIRATIONS.table(), self.loan_num);
                remove_key::<Name>(code, scope, Self::OWNERS.table(), self.loan_num);
            }
        }

        #[cfg(not(target_arch = "wasm32"))]
        impl $kind {
            #[doc(hidden)]
            pub fn add_to_abi(abi: &mut sdk::abi::Abi) {
                abi.add_table::<RexLoan>($table);
            }
        }
    )+ };
}
loans! {
    CpuLoan, "cpuloan", true;
    NetLoan, "netloan", false;
}

/// A sale that waits until the pool has enough that is not lent.
#[table("rexqueue", index(by_time: u64 = self.by_time()))]
#[abi(name = "rex_order")]
pub struct RexOrder {
    /// 0.
    pub version: u8,
    /// Who sells.
    #[primary]
    pub owner: Name,
    /// How many shares.
    pub rex_requested: Asset,
    /// What they brought, once sold.
    pub proceeds: Asset,
    /// What the sale took from the vote.
    pub stake_change: Asset,
    /// Since when it waits.
    pub order_time: TimePoint,
    /// Whether it still waits.
    pub is_open: bool,
}

impl RexOrder {
    /// Waiting ones first, the oldest first of them.
    fn by_time(&self) -> u64 {
        if self.is_open { self.order_time.0 as u64 } else { u64::MAX }
    }
}

/// How shares mature.
#[table("rexmaturity", singleton)]
#[abi(name = "rex_maturity")]
pub struct RexMaturity {
    /// Days, from the end of the day on which they are bought.
    pub num_of_maturity_buckets: u32,
    /// Whether matured ones are sold whenever their owner buys or sells.
    pub sell_matured_rex: bool,
    /// Whether bought ones go to savings.
    pub buy_rex_to_savings: bool,
}

impl RexMaturity {
    /// As set, or as a new chain has it.
    pub fn load() -> Self {
        let first = Self { num_of_maturity_buckets: 5, sell_matured_rex: false, buy_rex_to_savings: false };
        Self::kept().get_or(first)
    }

    /// Where it is kept.
    pub fn kept() -> Singleton<Self> {
        let this = current_receiver();
        Singleton::new(this, this)
    }
}

/// A table of the contract in its own scope.
pub fn table<R: Row>() -> Table<R> {
    let this = current_receiver();
    Table::new(this, this)
}
