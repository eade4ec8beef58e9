//! `boreasd contract-chain`: the chain of one test of a contract, behind a pipe.

use anyhow::Context as _;
use execution::Clock;

/// CPU time of the thread that executes, so that other work on the machine does not count.
struct ThreadTime;

impl Clock for ThreadTime {
    fn now_us(&self) -> i64 {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: the system writes one timespec.
        let status = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
        // A system without the clock measures nothing; tests do not depend on it.
        if status == 0 { time.tv_sec * 1_000_000 + time.tv_nsec / 1_000 } else { 0 }
    }
}

/// Answers requests on standard input until it is closed.
///
/// # Errors
/// Standard input or output fails.
pub fn serve() -> anyhow::Result<()> {
    let (input, output) = (std::io::stdin().lock(), std::io::stdout().lock());
    tester::serve(input, output, || Box::new(ThreadTime)).context("the test that asked is gone")
}
