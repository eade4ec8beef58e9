//! Host functions on memory alone (leap webassembly/memory.cpp).

use std::cmp::Ordering;

use primitives::ensure;
use wasm::{CompareArgs, CopyArgs, FillArgs, Intrinsics, Memory};

use crate::fault::Outcome;
use crate::world::World;

pub(super) fn register(table: &mut Intrinsics<World>) {
    table
        .context_free("memcpy", memcpy)
        .context_free("memmove", memmove)
        .context_free("memcmp", memcmp)
        .context_free("memset", memset);
}

fn memcpy(world: &mut World, memory: &mut Memory<'_>, args: CopyArgs) -> Outcome<u32> {
    let apart = args.to.abs_diff(args.from) >= args.len;
    ensure!(apart, OVERLAPPING_MEMORY_ERROR, "memcpy can only accept non-aliasing pointers");
    memmove(world, memory, args)
}

fn memmove(_: &mut World, memory: &mut Memory<'_>, args: CopyArgs) -> Outcome<u32> {
    memory.copy_within(args.from, args.to, args.len)?;
    Ok(args.to)
}

fn memcmp(_: &mut World, memory: &mut Memory<'_>, args: CompareArgs) -> Outcome<i32> {
    let order = memory.get(args.left, args.len)?.cmp(memory.get(args.right, args.len)?);
    Ok(match order {
        Ordering::Less => -1,
        Ordering::Equal => 0,
        Ordering::Greater => 1,
    })
}

fn memset(_: &mut World, memory: &mut Memory<'_>, args: FillArgs) -> Outcome<u32> {
    memory.get_mut(args.to, args.len)?.fill(args.value as u8);
    Ok(args.to)
}
