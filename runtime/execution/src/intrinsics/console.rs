//! Host functions that print (leap webassembly/console.cpp). What is printed is no part of consensus, but people
//! compare it: numbers look as C++ streams print them.

mod decimal;

use std::io::Write as _;

use primitives::Name;
use wasm::{F32, F64, F128, Intrinsics, LegacyPtr, LegacySpan, Memory, Text};

use crate::fault::Outcome;
use crate::world::World;

pub(super) fn register(table: &mut Intrinsics<World>) {
    table
        .context_free("prints", prints)
        .context_free("prints_l", prints_l)
        .context_free("printi", |world: &mut World, _: &mut Memory<'_>, value: i64| print(world, value))
        .context_free("printui", |world: &mut World, _: &mut Memory<'_>, value: u64| print(world, value))
        .context_free("printi128", |world: &mut World, memory: &mut Memory<'_>, value: LegacyPtr<i128>| {
            print(world, value.read(memory))
        })
        .context_free("printui128", |world: &mut World, memory: &mut Memory<'_>, value: LegacyPtr<u128>| {
            print(world, value.read(memory))
        })
        .context_free("printsf", |world: &mut World, _: &mut Memory<'_>, value: F32| {
            print(world, decimal::f32_text(value.0))
        })
        .context_free("printdf", |world: &mut World, _: &mut Memory<'_>, value: F64| {
            print(world, decimal::f64_text(value.0))
        })
        .context_free("printqf", |world: &mut World, memory: &mut Memory<'_>, value: LegacyPtr<F128>| {
            print(world, decimal::f128_text(value.read(memory).0))
        })
        .context_free("printn", |world: &mut World, _: &mut Memory<'_>, value: Name| print(world, value))
        .context_free("printhex", printhex);
}

/// Where a contract prints to, where anybody listens.
fn console(world: &mut World) -> Option<&mut Vec<u8>> {
    world.settings.contracts_console.then_some(&mut world.action.console)
}

fn print(world: &mut World, value: impl std::fmt::Display) -> Outcome {
    if let Some(console) = console(world) {
        write!(console, "{value}").expect("a vector takes everything");
    }
    Ok(())
}

fn print_bytes(world: &mut World, bytes: &[u8]) -> Outcome {
    if let Some(console) = console(world) {
        console.extend_from_slice(bytes);
    }
    Ok(())
}

fn prints(world: &mut World, memory: &mut Memory<'_>, text: Text) -> Outcome {
    print_bytes(world, text.bytes(memory))
}

fn prints_l(world: &mut World, memory: &mut Memory<'_>, text: LegacySpan) -> Outcome {
    print_bytes(world, text.bytes(memory))
}

fn printhex(world: &mut World, memory: &mut Memory<'_>, data: LegacySpan) -> Outcome {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    if let Some(console) = console(world) {
        let digits = data.bytes(memory).iter().flat_map(|byte| [byte >> 4, byte & 15]);
        console.extend(digits.map(|digit| DIGITS[usize::from(digit)]));
    }
    Ok(())
}
