//! Saved states of a chain that is served: the process itself, forked.
//!
//! Saving splits the process. The child goes on serving on the same pipe, the parent waits and keeps the chain as it was.
//! Restoring ends the child with a word for the parent which state is wanted: that parent wakes, splits again, and its
//! new child serves on. Memory is shared until it is written to, so that a state costs next to nothing.

/// The states that processes before this one keep, in order.
#[derive(Default)]
pub(crate) struct States {
    kept: u32,
}

/// Exit statuses are bytes; these carry the number of a state.
const FIRST_STATUS: i32 = 100;
/// States there may be at once.
const STATES_MAX: u32 = 100;

impl States {
    /// Keeps the chain as it is. Returns the state's number, in the process that goes on.
    ///
    /// # Errors
    /// There are too many states, or the system gives no process.
    pub(crate) fn save(&mut self) -> Result<u32, String> {
        if self.kept == STATES_MAX {
            return Err(format!("no more than {STATES_MAX} states are kept"));
        }
        let state = self.kept;
        loop {
            // SAFETY: no other thread of this process runs code of ours: a tester starts none, and whoever serves only
            // waits for the thread that does. The child gets copies of all that this thread has.
            match unsafe { libc::fork() } {
                0 => {
                    self.kept += 1;
                    return Ok(state);
                }
                -1 => return Err(format!("no process for a state: {}", std::io::Error::last_os_error())),
                child => {
                    let status = wait_for(child);
                    if status != FIRST_STATUS + state as i32 {
                        // Another state is wanted, or nothing any more: the processes before this one hear it too.
                        end(status);
                    }
                }
            }
        }
    }

    /// Goes back to a state: does not return in this process, but in the one that keeps it, as from [`States::save`].
    ///
    /// # Errors
    /// There is no such state.
    pub(crate) fn restore(&mut self, state: u32) -> Result<(), String> {
        if state >= self.kept {
            return Err(format!("there is no state {state}"));
        }
        end(FIRST_STATUS + state as i32)
    }
}

/// The exit status of a child; 1 when it did not exit by itself.
fn wait_for(child: libc::pid_t) -> i32 {
    let mut status = 0;
    loop {
        // SAFETY: the system writes one number.
        if unsafe { libc::waitpid(child, &raw mut status, 0) } == child {
            return if libc::WIFEXITED(status) { libc::WEXITSTATUS(status) } else { 1 };
        }
        if std::io::Error::last_os_error().kind() != std::io::ErrorKind::Interrupted {
            return 1;
        }
    }
}

/// Ends this process at once: what its memory holds belongs to another.
fn end(status: i32) -> ! {
    // SAFETY: nothing is left to be written; every answer is flushed.
    unsafe { libc::_exit(status) }
}
