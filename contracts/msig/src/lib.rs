//! `eosio.msig`: a transaction is proposed, the permissions it needs approve it one by one, anyone executes it.
//!
//! Execution sends the actions inline: no deferred transaction. Rows, order of checks and messages are those of the
//! reference contract.

#![no_std]

/// The contract.
#[sdk::contract]
pub mod msig {
    use sdk::action::{for_each_packed, send_packed};
    use sdk::prelude::*;
    use sdk::{chain, crypto};

    /// A proposed transaction; the scope is the proposer.
    #[table("proposal")]
    pub struct Proposal {
        /// The proposer's name for it.
        #[primary]
        pub proposal_name: Name,
        /// The transaction.
        pub packed_transaction: Vec<u8>,
        /// From when it may be executed, once it has all approvals. Rows of old contracts lack the field.
        pub earliest_exec_time: Extension<Option<TimePoint>>,
    }

    /// Approvals as contracts of 2018 kept them, without times.
    #[table("approvals")]
    pub struct OldApprovalsInfo {
        /// The proposal.
        #[primary]
        pub proposal_name: Name,
        /// Still asked for.
        pub requested_approvals: Vec<PermissionLevel>,
        /// Given.
        pub provided_approvals: Vec<PermissionLevel>,
    }

    /// A permission and when it approved.
    #[derive(Record)]
    pub struct Approval {
        /// The permission.
        pub level: PermissionLevel,
        /// When; zero while it is only asked for.
        pub time: TimePoint,
    }

    /// Approvals asked for and given; the scope is the proposer.
    #[table("approvals2")]
    pub struct ApprovalsInfo {
        /// 1.
        pub version: u8,
        /// The proposal.
        #[primary]
        pub proposal_name: Name,
        /// Still asked for.
        pub requested_approvals: Vec<Approval>,
        /// Given.
        pub provided_approvals: Vec<Approval>,
    }

    /// From when an account's approvals count.
    #[table("invals")]
    pub struct Invalidation {
        /// The account.
        #[primary]
        pub account: Name,
        /// Approvals given before do not count.
        pub last_invalidation_time: TimePoint,
    }

    const OLD_WITH_DELAY: &str = "old proposals are not allowed to have non-zero `delay_sec`; cancel and retry";
    const NO_PROPOSAL: &str = "proposal not found";

    fn proposals(proposer: Name) -> Table<Proposal> {
        Table::new(current_receiver(), proposer)
    }

    fn approvals(proposer: Name) -> Table<ApprovalsInfo> {
        Table::new(current_receiver(), proposer)
    }

    fn old_approvals(proposer: Name) -> Table<OldApprovalsInfo> {
        Table::new(current_receiver(), proposer)
    }

    /// Proposes {{trx}} under the name {{proposal_name}} and asks the permissions {{requested}} to approve it.
    #[action]
    fn propose(proposer: Name, proposal_name: Name, requested: Vec<PermissionLevel>, trx: Ignore<Transaction>) {
        require_auth(proposer);
        let mut reader = Reader::new(trx.rest);
        let header = TransactionHeader::unpack(&mut reader);
        check_not_expired(&header);
        let message = "not allowed to `propose` a transaction with context-free actions";
        check(for_each_packed(&mut reader, |_| {}) == 0, message);
        let proposals = proposals(proposer);
        check(!proposals.contains(proposal_name), "proposal with the same name exists");
        let satisfied = chain::check_transaction_authorization(trx.rest, &requested);
        check(satisfied, "transaction authorization failed");
        let packed_transaction = Vec::from(trx.rest);
        let earliest_exec_time = Extension(Some(None));
        proposals.insert(proposer, Proposal { proposal_name, packed_transaction, earliest_exec_time });
        let asked = |level| Approval { level, time: TimePoint(0) };
        let requested_approvals = requested.into_iter().map(asked).collect();
        let provided_approvals = Vec::new();
        let row = ApprovalsInfo { version: 1, proposal_name, requested_approvals, provided_approvals };
        approvals(proposer).insert(proposer, row);
    }

    /// Approves {{proposer}}'s proposal {{proposal_name}} with the permission {{level}}.
    #[action]
    fn approve(proposer: Name, proposal_name: Name, level: PermissionLevel, proposal_hash: Extension<Checksum256>) {
        require_auth_of(level);
        let mut proposal = proposals(proposer).get(proposal_name, NO_PROPOSAL);
        if let Some(hash) = &proposal_hash.0 {
            crypto::assert_sha256(&proposal.packed_transaction, hash);
        }
        let message = "approval is not on the list of requested approvals";
        match approvals(proposer).find(proposal_name) {
            Some(mut row) => row.modify(proposer, |row| {
                take_approval(&mut row.requested_approvals, level, message);
                row.provided_approvals.push(Approval { level, time: current_time() });
            }),
            None => old_approvals(proposer).get(proposal_name, NO_PROPOSAL).modify(proposer, |row| {
                take_level(&mut row.requested_approvals, level, message);
                row.provided_approvals.push(level);
            }),
        }
        let header: TransactionHeader = unpack(&proposal.packed_transaction);
        match proposal.earliest_exec_time.0 {
            Some(None) if is_authorized(proposer, &proposal) => {
                let from = current_time().plus_us(i64::from(header.delay_sec.0) * 1_000_000);
                proposal.modify(proposer, |row| row.earliest_exec_time = Extension(Some(Some(from))));
            }
            Some(_) => {}
            None => check(header.delay_sec.0 == 0, OLD_WITH_DELAY),
        }
    }

    /// Takes back the approval that {{level}} gave.
    #[action]
    fn unapprove(proposer: Name, proposal_name: Name, level: PermissionLevel) {
        require_auth_of(level);
        let message = "no approval previously granted";
        match approvals(proposer).find(proposal_name) {
            Some(mut row) => row.modify(proposer, |row| {
                take_approval(&mut row.provided_approvals, level, message);
                row.requested_approvals.push(Approval { level, time: current_time() });
            }),
            None => old_approvals(proposer).get(proposal_name, NO_PROPOSAL).modify(proposer, |row| {
                take_level(&mut row.provided_approvals, level, message);
                row.requested_approvals.push(level);
            }),
        }
        let mut proposal = proposals(proposer).get(proposal_name, NO_PROPOSAL);
        match proposal.earliest_exec_time.0 {
            Some(Some(_)) if !is_authorized(proposer, &proposal) => {
                proposal.modify(proposer, |row| row.earliest_exec_time = Extension(Some(None)));
            }
            Some(_) => {}
            None => {
                let header: TransactionHeader = unpack(&proposal.packed_transaction);
                check(header.delay_sec.0 == 0, OLD_WITH_DELAY);
            }
        }
    }

    /// Removes a proposal: its proposer at any time, anyone else once it has expired.
    #[action]
    fn cancel(proposer: Name, proposal_name: Name, canceler: Name) {
        require_auth(canceler);
        let proposal = proposals(proposer).get(proposal_name, NO_PROPOSAL);
        if canceler != proposer {
            let header: TransactionHeader = unpack(&proposal.packed_transaction);
            check(header.expiration < TimePointSec::from(current_time()), "cannot cancel until expiration");
        }
        proposal.remove();
        remove_approvals(proposer, proposal_name);
    }

    /// Executes the actions of a proposal that has enough approvals.
    #[action]
    fn exec(proposer: Name, proposal_name: Name, executer: Name) {
        require_auth(executer);
        let proposal = proposals(proposer).get(proposal_name, NO_PROPOSAL);
        let mut reader = Reader::new(&proposal.packed_transaction);
        let header = TransactionHeader::unpack(&mut reader);
        check_not_expired(&header);
        let message = "not allowed to `exec` a transaction with context-free actions";
        check(for_each_packed(&mut reader, |_| {}) == 0, message);
        let authorized = is_authorized(proposer, &proposal);
        remove_approvals(proposer, proposal_name);
        check(authorized, "transaction authorization failed");
        match proposal.earliest_exec_time.0 {
            Some(Some(from)) => check(from <= current_time(), "too early to execute"),
            _ => check(header.delay_sec.0 == 0, OLD_WITH_DELAY),
        }
        for_each_packed(&mut reader, send_packed);
        proposal.remove();
    }

    /// Makes all approvals that {{account}} has given so far count no longer.
    #[action]
    fn invalidate(account: Name) {
        require_auth(account);
        let this = current_receiver();
        let table = Table::<Invalidation>::new(this, this);
        let now = current_time();
        match table.find(account) {
            Some(mut row) => row.modify(account, |row| row.last_invalidation_time = now),
            None => {
                table.insert(account, Invalidation { account, last_invalidation_time: now });
            }
        }
    }

    /// Whether the approvals that count satisfy the transaction.
    fn is_authorized(proposer: Name, proposal: &Proposal) -> bool {
        let this = current_receiver();
        let invalidations = Table::<Invalidation>::new(this, this);
        let levels: Vec<PermissionLevel> = match approvals(proposer).find(proposal.proposal_name) {
            Some(row) => {
                let counts = |approval: &&Approval| {
                    let invalidated = invalidations.find(approval.level.actor);
                    invalidated.is_none_or(|row| row.last_invalidation_time < approval.time)
                };
                row.provided_approvals.iter().filter(counts).map(|approval| approval.level).collect()
            }
            None => {
                let row = old_approvals(proposer).get(proposal.proposal_name, NO_PROPOSAL);
                let counts = |level: &&PermissionLevel| !invalidations.contains(level.actor);
                row.provided_approvals.iter().filter(counts).copied().collect()
            }
        };
        chain::check_transaction_authorization(&proposal.packed_transaction, &levels)
    }

    fn remove_approvals(proposer: Name, proposal_name: Name) {
        match approvals(proposer).find(proposal_name) {
            Some(row) => {
                row.remove();
            }
            None => {
                old_approvals(proposer).get(proposal_name, NO_PROPOSAL).remove();
            }
        }
    }

    fn check_not_expired(header: &TransactionHeader) {
        check(header.expiration >= TimePointSec::from(current_time()), "transaction expired");
    }

    fn take_approval(list: &mut Vec<Approval>, level: PermissionLevel, message: &str) {
        match list.iter().position(|approval| approval.level == level) {
            Some(at) => {
                list.remove(at);
            }
            None => fail(message),
        }
    }

    fn take_level(list: &mut Vec<PermissionLevel>, level: PermissionLevel, message: &str) {
        match list.iter().position(|other| *other == level) {
            Some(at) => {
                list.remove(at);
            }
            None => fail(message),
        }
    }
}
