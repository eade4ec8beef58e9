//! `eosio.system`: who owns what, who produces, and what a name costs.
//!
//! Actions, rows, keys, order of checks and messages are those of the reference contract; what is wanted differently is
//! listed in contracts/README.md. This file is the list of actions; what they do is in the files named after it.

#![no_std]

pub mod accounts;
mod configuration;
pub mod globals;
mod limits;
mod names;
mod parameters;
mod powerup;
mod producers;
pub mod ram;
mod recount;
mod rewards;
pub mod rex;
mod staking;
pub mod tables;
mod voting;

/// The contract.
#[sdk::contract(
    tables(
        globals::Global,
        globals::Global2,
        globals::Global3,
        globals::Global4,
        parameters::ChainParameters,
        tables::AbiHash,
        tables::UserResources,
        tables::DelegatedBandwidth,
        tables::RefundRequest,
        tables::RefundPart,
        tables::VoterInfo,
        tables::ProducerInfo,
        tables::ProducerInfo2,
        tables::SchedulesInfo,
        tables::NameBid,
        tables::BidRefund,
        tables::BlockInfoRecord,
        tables::LimitAuthChange,
        tables::ExchangeState,
        powerup::Market,
        powerup::Order,
        rex::tables::RexPool,
        rex::tables::ReturnPool,
        rex::tables::ReturnBuckets,
        rex::tables::RexFund,
        rex::tables::RexBalance,
        rex::tables::CpuLoan,
        rex::tables::NetLoan,
        rex::tables::RexOrder,
        rex::tables::RexMaturity
    ),
    clause("UserAgreement", "Use of this chain's system contract is bound by the rules of the chain it runs on.")
)]
pub mod system {
    use crate::configuration::BlockchainParametersV1;
    use crate::parameters::{ChainParameters, ParameterChange};
    use crate::ram::{BoughtRam, SoldRam, TransferredRam};
    use crate::*;
    use sdk::authority::ProducerSchedule;
    use sdk::prelude::*;
    use sdk::privileged::{self, ResourceLimits};

    /// A block's header as `onblock` gets it.
    #[derive(Record)]
    pub struct BlockHeader {
        /// Its slot.
        pub timestamp: u32,
        /// Who made it.
        pub producer: Name,
        /// How many earlier blocks it confirms.
        pub confirmed: u16,
        /// The block before.
        pub previous: Checksum256,
        /// Root of its transactions.
        pub transaction_mroot: Checksum256,
        /// Root of its actions.
        pub action_mroot: Checksum256,
        /// Which schedule it was made by.
        pub schedule_version: u32,
        /// A schedule to come.
        pub new_producers: Option<ProducerSchedule>,
    }

    fn require_system() {
        require_auth(current_receiver());
    }

    // --- companions of native actions

    /// Creates the account {{name}}.
    #[action]
    fn newaccount(creator: Name, name: Name, _owner: Ignore<Authority>, _active: Ignore<Authority>) {
        limits::newaccount(creator, name);
    }

    /// Sets the permission {{permission}} of {{account}}.
    #[action]
    fn updateauth(account: Name, permission: Name, parent: Name, auth: Authority, authorized_by: Extension<Name>) {
        let _ = (permission, parent, auth);
        limits::check_auth_change(account, authorized_by);
    }

    /// Deletes the permission {{permission}} of {{account}}.
    #[action]
    fn deleteauth(account: Name, permission: Name, authorized_by: Extension<Name>) {
        let _ = permission;
        limits::check_auth_change(account, authorized_by);
    }

    /// Lets {{requirement}} authorise {{account}}'s actions of type {{type}} at {{code}}.
    #[action]
    fn linkauth(account: Name, code: Name, r#type: Name, requirement: Name, authorized_by: Extension<Name>) {
        let _ = (code, r#type, requirement);
        limits::check_auth_change(account, authorized_by);
    }

    /// Undoes `linkauth`.
    #[action]
    fn unlinkauth(account: Name, code: Name, r#type: Name, authorized_by: Extension<Name>) {
        let _ = (code, r#type);
        limits::check_auth_change(account, authorized_by);
    }

    /// Cancels a delayed transaction.
    #[action]
    fn canceldelay(_canceling_auth: Ignore<PermissionLevel>, _trx_id: Ignore<Checksum256>) {}

    /// Told to the sender of a failed deferred transaction; never called directly.
    #[action]
    fn onerror(_sender_id: Ignore<u128>, _sent_trx: Ignore<[u8]>) {
        fail("the onerror action cannot be called directly");
    }

    /// Sets {{account}}'s contract.
    #[action]
    fn setcode(account: Name, vmtype: u8, vmversion: u8, code: &[u8], memo: Extension<ByteStr>) {
        let _ = (account, vmtype, vmversion, code, memo);
    }

    /// Sets {{account}}'s ABI, and keeps its hash.
    #[action]
    fn setabi(account: Name, abi: &[u8], memo: Extension<ByteStr>) {
        let _ = memo;
        limits::setabi(account, abi);
    }

    // --- the chain

    /// Starts the system with {{core}} as the token that everything is paid in.
    #[action]
    fn init(version: VarUint32, core: Symbol) {
        require_system();
        check(version.0 == 0, "unsupported version for init action");
        ram::init(core);
        ChainParameters::init();
    }

    /// Run by the chain with every block.
    #[action]
    fn onblock(header: Ignore<BlockHeader>) {
        require_system();
        let (timestamp, producer, _confirmed, previous): (_, _, u16, _) = unpack(header.rest);
        producers::onblock(timestamp, producer, previous);
    }

    /// Changes numbers of this chain that the reference has fixed, each by its name; the others stay.
    #[action]
    fn setchain(changes: Vec<ParameterChange>) {
        ChainParameters::change(&changes);
    }

    /// Sets the chain's configuration.
    #[action]
    fn setparams(params: BlockchainParametersV1) {
        require_system();
        configuration::setparams(&params);
    }

    /// Sets the limits on modules: `low` (or `default`) or `high`.
    #[action]
    fn wasmcfg(settings: Name) {
        require_system();
        configuration::wasmcfg(settings);
    }

    /// Switches the protocol feature {{feature_digest}} on.
    #[action]
    fn activate(feature_digest: Checksum256) {
        require_system();
        privileged::preactivate_feature(&feature_digest);
    }

    /// Makes {{account}} privileged, or no longer so.
    #[action]
    fn setpriv(account: Name, is_priv: u8) {
        require_system();
        privileged::set_privileged(account, is_priv != 0);
    }

    /// Switches newer rules of vote pay on: {{revision}} is one more than the last.
    #[action]
    fn updtrevision(revision: u8) {
        require_system();
        configuration::updtrevision(revision);
    }

    /// Tells that {{protocol}} took {{fee}}.
    #[action]
    fn logsystemfee(protocol: Name, fee: Asset, memo: ByteStr) {
        let _ = (protocol, fee, memo);
        require_system();
    }

    // --- limits

    /// Sets the limits of {{account}}, which has bought none; -1 is without limit.
    #[action]
    fn setalimits(account: Name, ram_bytes: i64, net_weight: i64, cpu_weight: i64) {
        limits::setalimits(account, ResourceLimits { ram_bytes, net_weight, cpu_weight });
    }

    /// Sets {{account}}'s RAM, or gives it back what it bought.
    #[action]
    fn setacctram(account: Name, ram_bytes: Option<i64>) {
        limits::setacctram(account, ram_bytes);
    }

    /// Sets {{account}}'s network weight, or gives it back what is staked to it.
    #[action]
    fn setacctnet(account: Name, net_weight: Option<i64>) {
        limits::setacctnet(account, net_weight);
    }

    /// Sets {{account}}'s CPU weight, or gives it back what is staked to it.
    #[action]
    fn setacctcpu(account: Name, cpu_weight: Option<i64>) {
        limits::setacctcpu(account, cpu_weight);
    }

    /// Says which of {{account}}'s permissions may change its permissions.
    #[action]
    fn limitauthchg(account: Name, allow_perms: Vec<Name>, disallow_perms: Vec<Name>) {
        limits::limitauthchg(account, allow_perms, disallow_perms);
    }

    // --- staking

    /// Stakes {{stake_net_quantity}} and {{stake_cpu_quantity}} from {{from}} to {{receiver}}.
    #[action]
    fn delegatebw(from: Name, receiver: Name, stake_net_quantity: Asset, stake_cpu_quantity: Asset, transfer: bool) {
        staking::delegatebw(from, receiver, stake_net_quantity, stake_cpu_quantity, transfer);
    }

    /// Takes {{unstake_net_quantity}} and {{unstake_cpu_quantity}} back from {{receiver}}; refunded later.
    #[action]
    fn undelegatebw(from: Name, receiver: Name, unstake_net_quantity: Asset, unstake_cpu_quantity: Asset) {
        staking::undelegatebw(from, receiver, unstake_net_quantity, unstake_cpu_quantity);
    }

    /// Pays {{owner}} what it has undelegated, once its time has come.
    #[action]
    fn refund(owner: Name) {
        staking::refund(owner);
    }

    /// Takes what the account `b1` has not earned out of the world.
    #[action]
    fn unvest(account: Name, unvest_net_quantity: Asset, unvest_cpu_quantity: Asset) {
        staking::unvest(account, unvest_net_quantity, unvest_cpu_quantity);
    }

    // --- RAM

    /// Sets how much RAM there is; only ever more.
    #[action]
    fn setram(max_ram_size: u64) {
        require_system();
        ram::setram(max_ram_size);
    }

    /// Sets by how many bytes the RAM for sale grows with every block.
    #[action]
    fn setramrate(bytes_per_block: u16) {
        require_system();
        ram::setramrate(bytes_per_block);
    }

    /// Buys RAM for {{receiver}} with {{quant}} of {{payer}}'s.
    #[action]
    fn buyram(payer: Name, receiver: Name, quant: Asset) -> BoughtRam {
        ram::buy(payer, receiver, quant)
    }

    /// Buys {{bytes}} bytes of RAM for {{receiver}} at the market's price.
    #[action]
    fn buyrambytes(payer: Name, receiver: Name, bytes: u32) -> BoughtRam {
        ram::buy_bytes(payer, receiver, bytes)
    }

    /// Buys RAM for {{account}} with {{quant}} of its own.
    #[action]
    fn buyramself(account: Name, quant: Asset) -> BoughtRam {
        ram::buy(account, account, quant)
    }

    /// Buys RAM with {{quantity}} and burns it.
    #[action]
    fn buyramburn(payer: Name, quantity: Asset, memo: ByteStr) -> BoughtRam {
        ram::buy_and_burn(payer, quantity, memo)
    }

    /// Sells {{bytes}} bytes of {{account}}'s RAM.
    #[action]
    fn sellram(account: Name, bytes: i64) -> SoldRam {
        ram::sell(account, bytes)
    }

    /// Gives {{bytes}} bytes of {{from}}'s RAM to {{to}}.
    #[action]
    fn ramtransfer(from: Name, to: Name, bytes: i64, memo: ByteStr) -> TransferredRam {
        ram::transfer(from, to, bytes, memo)
    }

    /// Burns {{bytes}} bytes of {{owner}}'s RAM.
    #[action]
    fn ramburn(owner: Name, bytes: i64, memo: ByteStr) -> TransferredRam {
        ram::burn(owner, bytes, memo)
    }

    /// Tells who bought RAM.
    #[action]
    fn logbuyram(payer: Name, receiver: Name, quantity: Asset, bytes: i64, ram_bytes: i64, fee: Asset) {
        let _ = (quantity, bytes, ram_bytes, fee);
        require_system();
        require_recipient(payer);
        require_recipient(receiver);
    }

    /// Tells who sold RAM.
    #[action]
    fn logsellram(account: Name, quantity: Asset, bytes: i64, ram_bytes: i64, fee: Asset) {
        let _ = (quantity, bytes, ram_bytes, fee);
        require_system();
        require_recipient(account);
    }

    /// Tells whose RAM changed.
    #[action]
    fn logramchange(owner: Name, bytes: i64, ram_bytes: i64) {
        let _ = (bytes, ram_bytes);
        require_system();
        require_recipient(owner);
    }

    // --- producers

    /// {{producer}} stands for election and signs with {{producer_key}}.
    #[action]
    fn regproducer(producer: Name, producer_key: PublicKey, url: ByteStr, location: u16) {
        producers::regproducer(producer, producer_key, url, location);
    }

    /// {{producer}} stands for election and signs with {{producer_authority}}.
    #[action]
    fn regproducer2(producer: Name, producer_authority: BlockSigningAuthority, url: ByteStr, location: u16) {
        producers::regproducer2(producer, producer_authority, url, location);
    }

    /// {{producer}} stands for election no longer.
    #[action]
    fn unregprod(producer: Name) {
        require_auth(producer);
        producers::unregprod(producer);
    }

    /// The chain takes {{producer}} out of the election.
    #[action]
    fn rmvproducer(producer: Name) {
        require_system();
        producers::unregprod(producer);
    }

    /// Pays {{owner}} for its blocks and votes.
    #[action]
    fn claimrewards(owner: Name) {
        rewards::claimrewards(owner);
    }

    /// Sets the inflation, in hundredths of a percent a year, and the producers' shares in it.
    #[action]
    fn setinflation(annual_rate: i64, inflation_pay_factor: i64, votepay_factor: i64) {
        rewards::setinflation(annual_rate, inflation_pay_factor, votepay_factor);
    }

    /// Sets the producers' shares in the inflation.
    #[action]
    fn setpayfactor(inflation_pay_factor: i64, votepay_factor: i64) {
        rewards::setpayfactor(inflation_pay_factor, votepay_factor);
    }

    /// Plans the inflation to be {{continuous_rate}} from {{start_time}}.
    #[action]
    fn setschedule(start_time: TimePointSec, continuous_rate: f64) {
        rewards::setschedule(start_time, continuous_rate);
    }

    /// Takes a planned change of inflation back.
    #[action]
    fn delschedule(start_time: TimePointSec) {
        rewards::delschedule(start_time);
    }

    /// Applies the next planned change of inflation once its time has come; anyone may.
    #[action]
    fn execschedule() {
        rewards::execschedule();
    }

    // --- votes

    /// {{voter}} votes for {{producers}}, or lets {{proxy}} vote.
    #[action]
    fn voteproducer(voter: Name, proxy: Name, producers: Vec<Name>) {
        voting::voteproducer(voter, proxy, producers);
    }

    /// Casts {{voter_name}}'s vote anew with what it has staked now.
    #[action]
    fn voteupdate(voter_name: Name) {
        voting::voteupdate(voter_name);
    }

    /// {{proxy}} votes for others, or no longer.
    #[action]
    fn regproxy(proxy: Name, isproxy: bool) {
        voting::regproxy(proxy, isproxy);
    }

    /// Reckons all sums of votes anew from the voters' rows, and votes whose weight has overflowed from their stake.
    #[action]
    fn recountvotes() {
        require_system();
        recount::recountvotes();
    }

    // --- powerup

    /// Sets up the market for bandwidth, or changes it: {{args}}. What is left out stays.
    #[action]
    fn cfgpowerup(args: powerup::Config) {
        powerup::cfgpowerup(&args);
    }

    /// Takes back what up to {{max}} expired purchases gave; anyone may.
    #[action]
    fn powerupexec(user: Name, max: u16) {
        powerup::powerupexec(user, max);
    }

    /// Buys {{net_frac}} and {{cpu_frac}} parts in 10^15 of the market for {{receiver}} and {{days}} days.
    #[action]
    fn powerup(payer: Name, receiver: Name, days: u32, net_frac: i64, cpu_frac: i64, max_payment: Asset) {
        powerup::powerup(payer, receiver, days, net_frac, cpu_frac, max_payment);
    }

    // --- REX

    /// Sets how many days REX takes to mature, and whether it is sold then or goes to savings when bought.
    #[action]
    fn setrexmature(
        num_of_maturity_buckets: Option<u32>,
        sell_matured_rex: Option<bool>,
        buy_rex_to_savings: Option<bool>,
    ) {
        rex::setrexmature(num_of_maturity_buckets, sell_matured_rex, buy_rex_to_savings);
    }

    /// Sets the pool's rent to {{balance}}: the price of loans.
    #[action]
    fn setrex(balance: Asset) {
        rex::setrex(balance);
    }

    /// Moves {{amount}} into {{owner}}'s REX fund.
    #[action]
    fn deposit(owner: Name, amount: Asset) {
        rex::deposit(owner, amount);
    }

    /// Moves {{amount}} out of {{owner}}'s REX fund.
    #[action]
    fn withdraw(owner: Name, amount: Asset) {
        rex::withdraw(owner, amount);
    }

    /// Buys REX with {{amount}} of {{from}}'s fund.
    #[action]
    fn buyrex(from: Name, amount: Asset) {
        rex::buyrex(from, amount);
    }

    /// Buys REX with what {{owner}} has staked to {{receiver}}: {{from_net}} and {{from_cpu}}.
    #[action]
    fn unstaketorex(owner: Name, receiver: Name, from_net: Asset, from_cpu: Asset) {
        rex::unstaketorex(owner, receiver, from_net, from_cpu);
    }

    /// Sells {{rex}} of {{from}}'s, or lets the sale wait until the pool can pay it.
    #[action]
    fn sellrex(from: Name, rex: Asset) {
        rex::sellrex(from, rex);
    }

    /// Takes {{owner}}'s waiting sale back.
    #[action]
    fn cnclrexorder(owner: Name) {
        rex::cnclrexorder(owner);
    }

    /// Rents CPU time for {{receiver}} and thirty days, for {{loan_payment}}; {{loan_fund}} renews it.
    #[action]
    fn rentcpu(from: Name, receiver: Name, loan_payment: Asset, loan_fund: Asset) {
        rex::loans::rent::<rex::tables::CpuLoan>(from, receiver, loan_payment, loan_fund);
    }

    /// Rents network bandwidth for {{receiver}} and thirty days, for {{loan_payment}}; {{loan_fund}} renews it.
    #[action]
    fn rentnet(from: Name, receiver: Name, loan_payment: Asset, loan_fund: Asset) {
        rex::loans::rent::<rex::tables::NetLoan>(from, receiver, loan_payment, loan_fund);
    }

    /// Adds {{payment}} to what the loan {{loan_num}} is renewed with.
    #[action]
    fn fundcpuloan(from: Name, loan_num: u64, payment: Asset) {
        rex::loans::fund::<rex::tables::CpuLoan>(from, loan_num, payment);
    }

    /// Adds {{payment}} to what the loan {{loan_num}} is renewed with.
    #[action]
    fn fundnetloan(from: Name, loan_num: u64, payment: Asset) {
        rex::loans::fund::<rex::tables::NetLoan>(from, loan_num, payment);
    }

    /// Takes {{amount}} from what the loan {{loan_num}} is renewed with.
    #[action]
    fn defcpuloan(from: Name, loan_num: u64, amount: Asset) {
        rex::loans::defund::<rex::tables::CpuLoan>(from, loan_num, amount);
    }

    /// Takes {{amount}} from what the loan {{loan_num}} is renewed with.
    #[action]
    fn defnetloan(from: Name, loan_num: u64, amount: Asset) {
        rex::loans::defund::<rex::tables::NetLoan>(from, loan_num, amount);
    }

    /// Brings what {{owner}}'s REX counts in its vote up to date.
    #[action]
    fn updaterex(owner: Name) {
        rex::updaterex(owner);
    }

    /// Closes or renews up to {{max}} loans of each kind and does up to {{max}} waiting sales; anyone may.
    #[action]
    fn rexexec(user: Name, max: u16) {
        rex::rexexec(user, max);
    }

    /// Lets all of {{owner}}'s REX mature at once, later.
    #[action]
    fn consolidate(owner: Name) {
        rex::consolidate(owner);
    }

    /// Moves {{rex}} to {{owner}}'s savings.
    #[action]
    fn mvtosavings(owner: Name, rex: Asset) {
        rex::mvtosavings(owner, rex);
    }

    /// Moves {{rex}} out of {{owner}}'s savings.
    #[action]
    fn mvfrsavings(owner: Name, rex: Asset) {
        rex::mvfrsavings(owner, rex);
    }

    /// Removes {{owner}}'s rows of REX, which must be empty.
    #[action]
    fn closerex(owner: Name) {
        rex::closerex(owner);
    }

    /// Gives {{quantity}} to all who have REX, over thirty days.
    #[action]
    fn donatetorex(payer: Name, quantity: Asset, memo: ByteStr) {
        rex::donatetorex(payer, quantity, memo);
    }

    // --- names

    /// {{bidder}} bids {{bid}} for the name {{newname}}.
    #[action]
    fn bidname(bidder: Name, newname: Name, bid: Asset) {
        names::bidname(bidder, newname, bid);
    }

    /// Pays {{bidder}} back what it bid for {{newname}} before it was outbid.
    #[action]
    fn bidrefund(bidder: Name, newname: Name) {
        names::bidrefund(bidder, newname);
    }
}
