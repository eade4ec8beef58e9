//! `boreasd check`: reads all that a node keeps, and says what of it is damaged.

use std::ops::RangeInclusive;
use std::sync::Arc;

use anyhow::Context;
use chain::LoadedState;
use codec::Unpack;
use primitives::{BlockId, SignedBlock};
use store::{Store, StoreError};

use crate::folder::{BLOCKS_ADVICE, Folder};
use crate::settings::CheckArgs;
use crate::start;

/// What is damaged, in sentences; a run of blocks with one fault is one.
#[derive(Default)]
struct Damage {
    told: Vec<String>,
    /// Blocks that have the same fault, one after the other.
    run: Option<(RangeInclusive<u32>, String)>,
}

impl Damage {
    fn of_block(&mut self, num: u32, fault: String) {
        match &mut self.run {
            Some((nums, same)) if *same == fault && nums.end().checked_add(1) == Some(num) => {
                *nums = *nums.start()..=num;
            }
            _ => {
                self.end_run();
                self.run = Some((num..=num, fault));
            }
        }
    }

    fn end_run(&mut self) {
        let Some((nums, fault)) = self.run.take() else { return };
        self.told.push(match nums.start() == nums.end() {
            true => format!("block {}: {fault}", nums.start()),
            false => format!("blocks {} to {}: {fault}", nums.start(), nums.end()),
        });
    }
}

/// Reads everything, and fails where something is damaged, with all of it and what helps.
///
/// # Errors
/// There is no chain, a node is running on it, or something is damaged.
#[allow(clippy::print_stdout, reason = "what a command found belongs on standard output")]
pub fn check(args: &CheckArgs) -> anyhow::Result<()> {
    let (_folder, store) = Folder::with_chain(&args.data_dir)?;
    let mut advice = Vec::new();
    let mut damage = Damage::default();
    if let Some(stored) = store.losses().stored {
        damage.told.push(format!("the log ends too early: block {stored} was stored here"));
        advice.push(BLOCKS_ADVICE);
    }
    if let (Some(first), Some(head)) = (store.earliest_block_num()?, store.head()?) {
        let before = damage.told.len();
        blocks(&store, first..=head.num, &mut damage);
        if damage.told.len() > before {
            advice.push(
                "Blocks that are damaged come back from peers: start with --hard-replay-blockchain, which goes on with \
                 the blocks before them, or begin with a copy of the folder or a snapshot",
            );
        } else {
            println!("blocks {first} to {} are whole", head.num);
        }
        match traces(&store, first..=head.num, &mut damage) {
            Some(0) => println!("there are no traces"),
            Some(count) => println!("the traces of {count} blocks are whole"),
            None => advice.push("Traces are made again with --replay-blockchain"),
        }
    }
    match state(&store) {
        Ok(None) => println!("there is no state yet"),
        Ok(Some(num)) => println!("the state of block {num} is whole"),
        Err(error) => {
            damage.told.push(format!("the state: {}", error.root_cause()));
            advice.push("A state is built from the blocks anew with --replay-blockchain");
        }
    }
    if damage.told.is_empty() {
        return Ok(());
    }
    advice.dedup();
    anyhow::bail!("{} is damaged:\n  {}\n{}", args.data_dir.display(), damage.told.join("\n  "), advice.join("\n"))
}

/// Looks at the chain's blocks, and at those of other branches.
fn blocks(store: &Store, nums: RangeInclusive<u32>, damage: &mut Damage) {
    let mut previous: Option<BlockId> = None;
    for num in nums {
        let found = block(store, num, previous);
        previous = found.as_ref().ok().copied();
        if let Err(fault) = found {
            damage.of_block(num, fault);
        }
    }
    damage.end_run();
}

/// What was found, without what to do about it.
fn cause(error: StoreError) -> String {
    anyhow::Error::from(error).root_cause().to_string()
}

/// The id of a block that is whole and follows the one before it, if that is known.
fn block(store: &Store, num: u32, previous: Option<BlockId>) -> Result<BlockId, String> {
    let mut chain_block = None;
    let on_chain = store.block_id_at(num).map_err(cause)?.ok_or("it is missing")?;
    for id in store.block_ids_at(num).map_err(cause)? {
        let bytes = store.block_by_id(&id).map_err(cause)?.ok_or("it is missing")?;
        let block = SignedBlock::from_bytes(&bytes).map_err(|cause| format!("it is not a block: {cause}"))?;
        if block.id() != id {
            return Err("it is another block than its id says".to_owned());
        }
        if id == on_chain {
            chain_block = Some(block.header().previous);
        }
    }
    let follows = chain_block.ok_or("it is missing")?;
    match previous.is_none_or(|previous| previous == follows) {
        true => Ok(on_chain),
        false => Err("it does not follow the one before it".to_owned()),
    }
}

/// How many blocks have traces that can be read; `None` where one is damaged.
fn traces(store: &Store, nums: RangeInclusive<u32>, damage: &mut Damage) -> Option<u32> {
    let (mut count, before) = (0, damage.told.len());
    for num in nums {
        match store.traces(num) {
            Ok(found) => count += u32::from(found.is_some()),
            Err(error) => damage.of_block(num, format!("its trace: {}", cause(error))),
        }
    }
    damage.end_run();
    (damage.told.len() == before).then_some(count)
}

/// Loads the state as a start does; the number of its block.
fn state(store: &Arc<Store>) -> anyhow::Result<Option<u32>> {
    let Some(checkpoint) = store.checkpoint()? else { return Ok(None) };
    let num = checkpoint.num;
    let mut saved = start::saved_chain(store, checkpoint)?;
    // A start leaves it where it is.
    for block in saved.reversible.iter_mut().filter(|block| block.undo.is_none()) {
        let missing = || format!("what undoes block {} is missing", block.number);
        block.undo = Some(store.undo(block.number)?.with_context(missing)?);
    }
    LoadedState::load(saved)?;
    Ok(Some(num))
}
