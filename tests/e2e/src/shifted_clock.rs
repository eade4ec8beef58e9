//! A clock that is wrong: that of one process, as far as the test says.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::process::Command;

/// Adds to the time of day of one process what a file says, in seconds.
const SHIFTED_CLOCK: &str = r#"
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
static volatile int64_t *shift;
__attribute__((constructor)) static void begin(void) {
    shift = mmap(0, sizeof *shift, PROT_READ, MAP_SHARED, open(getenv("CLOCK_SHIFT"), O_RDONLY), 0);
}
int clock_gettime(clockid_t clock, struct timespec *time) {
    int result = syscall(SYS_clock_gettime, clock, time);
    if (result == 0 && clock == CLOCK_REALTIME) time->tv_sec += *shift;
    return result;
}
"#;

/// A clock that a test sets.
#[derive(Debug)]
pub struct ShiftedClock {
    file: File,
    environment: String,
}

impl ShiftedClock {
    /// One that is right, kept in a folder.
    ///
    /// # Panics
    /// Without a C compiler.
    pub fn new(folder: &Path) -> Self {
        let at = |name: &str| folder.join(name);
        std::fs::write(at("shift.c"), SHIFTED_CLOCK).expect("the folder can be written");
        let library = at("shift.so");
        let compiled = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .args([&library, &at("shift.c")])
            .status()
            .expect("a C compiler, which the build needs too");
        assert!(compiled.success());
        let file = File::options().create(true).truncate(false).read(true).write(true).open(at("shift"));
        let environment = format!("export CLOCK_SHIFT={} LD_PRELOAD={}", at("shift").display(), library.display());
        let clock = Self { file: file.expect("the folder can be written"), environment };
        clock.set(0);
        clock
    }

    /// What a shell does so that its programs go by this clock.
    pub fn environment(&self) -> &str {
        &self.environment
    }

    /// It is ahead by so many seconds from now on.
    ///
    /// # Panics
    /// When its folder is gone.
    pub fn set(&self, seconds: i64) {
        self.file.write_all_at(&seconds.to_ne_bytes(), 0).expect("the folder can be written");
    }
}
