//! Native stack: contracts may nest deeper than an ordinary thread's stack allows.

use crate::engine::THREAD_STACK_BYTES;

/// Bytes left on this thread's stack. Asks the system once per thread.
#[cfg(target_os = "linux")]
fn left() -> usize {
    thread_local! {
        static LOWEST: usize = lowest();
    }
    let here = 0_u8;
    (&raw const here as usize).saturating_sub(LOWEST.with(|lowest| *lowest))
}

/// Lowest address of this thread's stack; 0 where the system does not say.
#[cfg(target_os = "linux")]
fn lowest() -> usize {
    let mut attributes = std::mem::MaybeUninit::<libc::pthread_attr_t>::uninit();
    let (mut address, mut size) = (std::ptr::null_mut(), 0);
    // SAFETY: the attributes are read only after the system filled them, and released once.
    unsafe {
        if libc::pthread_getattr_np(libc::pthread_self(), attributes.as_mut_ptr()) != 0 {
            return 0;
        }
        libc::pthread_attr_getstack(attributes.as_ptr(), &raw mut address, &raw mut size);
        libc::pthread_attr_destroy(attributes.as_mut_ptr());
    }
    address as usize
}

#[cfg(not(target_os = "linux"))]
fn left() -> usize {
    usize::MAX
}

/// Runs `call` here if the stack is large enough for every contract, else on a thread made for it. Each run of a
/// contract does so; who runs many on a thread of less than [`THREAD_STACK_BYTES`] does it once around them all.
pub fn with_enough<T: Send>(call: impl FnOnce() -> T + Send) -> T {
    if left() >= crate::engine::WASM_STACK_BYTES + (256 << 10) {
        return call();
    }
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(THREAD_STACK_BYTES);
        let handle = thread.spawn_scoped(scope, call).expect("the system gives a thread");
        handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
