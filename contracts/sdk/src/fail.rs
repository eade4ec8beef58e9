//! Failing an action: the message is what the sender of the transaction reads.

use crate::raw;

/// What an action says that has used up its memory.
pub(crate) const OUT_OF_MEMORY: &str = "out of memory";

/// Fails the action with `message` unless `condition` holds.
#[inline]
#[track_caller]
pub fn check(condition: bool, message: &str) {
    if !condition {
        fail(message)
    }
}

/// Fails the action: `assertion failure with message: MESSAGE`.
#[cold]
#[inline]
pub fn fail(message: &str) -> ! {
    fail_with_bytes(message.as_bytes())
}

/// As [`fail`]: the chain carries any bytes as a message.
#[cold]
#[inline(never)]
pub fn fail_with_bytes(message: &[u8]) -> ! {
    // SAFETY: pointer and length are those of a live slice.
    unsafe { raw::eosio_assert_message(0, message.as_ptr(), message.len() as u32) };
    stop()
}

/// Fails the action with a number: `assertion failure with error code: CODE`.
#[cold]
#[inline(never)]
pub fn fail_with_code(code: u64) -> ! {
    // SAFETY: no pointers.
    unsafe { raw::eosio_assert_code(0, code) };
    stop()
}

/// The host does not come back from a failed assertion; this tells the compiler so.
#[cfg(target_arch = "wasm32")]
fn stop() -> ! {
    core::arch::wasm32::unreachable()
}

#[cfg(not(target_arch = "wasm32"))]
fn stop() -> ! {
    unreachable!("the host ends a failed action")
}

/// `check!(condition, parts...)`: fails with the parts joined to one message, built only when it is needed.
#[macro_export]
macro_rules! check {
    ($condition:expr, $message:literal $(,)?) => { $crate::fail::check($condition, $message) };
    ($condition:expr, $($part:expr),+ $(,)?) => {
        if !$condition {
            $crate::fail::fail(&$crate::text!($($part),+))
        }
    };
}

/// The whole message, formatted parts too, costs a contract one kilobyte; the place in the source would cost two more.
#[cfg(target_arch = "wasm32")]
#[panic_handler]
fn panic(info: &core::panic::PanicInfo) -> ! {
    let mut message = Message(crate::writer::Writer::new());
    // A `Display` that gives up leaves what it wrote until then.
    let _ = core::fmt::write(&mut message, format_args!("{}", info.message()));
    fail_with_bytes(&message.0)
}

#[cfg(target_arch = "wasm32")]
struct Message(crate::writer::Writer);

#[cfg(target_arch = "wasm32")]
impl core::fmt::Write for Message {
    fn write_str(&mut self, part: &str) -> core::fmt::Result {
        self.0.extend_from_slice(part.as_bytes());
        Ok(())
    }
}
