//! Host functions that print (leap webassembly/console.cpp). What is printed is no part of consensus, but people
//! compare it: numbers look as C++ streams print them.

mod decimal;

use std::io::Write as _;

use primitives::Name;
use wasm::{F32, F64, F128, Intrinsics, LegacyPtr, LegacySpan, Memory, Text};

use crate::console::Printer;
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
fn console(world: &mut World) -> Option<Printer<'_>> {
    let World { settings, action, trx, .. } = world;
    settings.contracts_console.then_some(Printer { console: &mut action.console, budget: &mut trx.console_budget })
}

fn print(world: &mut World, value: impl std::fmt::Display) -> Outcome {
    if let Some(mut console) = console(world) {
        write!(console, "{value}").expect("a console takes everything");
    }
    Ok(())
}

fn print_bytes(world: &mut World, bytes: &[u8]) -> Outcome {
    if let Some(mut console) = console(world) {
        console.write_all(bytes).expect("a console takes everything");
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
    /// Bytes that become digits at once.
    const CHUNK: usize = 1024;
    if let Some(mut console) = console(world) {
        let mut digits = [0; 2 * CHUNK];
        for bytes in data.bytes(memory).chunks(CHUNK) {
            let digits = &mut digits[..2 * bytes.len()];
            hex::encode_to_slice(bytes, digits).expect("two digits for each byte");
            console.write_all(digits).expect("a console takes everything");
        }
    }
    Ok(())
}
