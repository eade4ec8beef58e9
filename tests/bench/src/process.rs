//! What a process uses, from /proc.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

/// Clock ticks a second in /proc/PID/stat, the same on every Linux.
const TICKS_PER_SECOND: f64 = 100.0;
/// Fields of /proc/PID/stat after the command's name: user and system time of the process.
const OWN_TIMES: usize = 11;
/// The same of children that were waited for.
const CHILDREN_TIMES: usize = 13;

/// A child, killed when dropped.
#[derive(Debug)]
pub struct Process(Child);

impl Process {
    /// Starts it; what it prints goes to a file.
    pub fn start(mut command: Command, log: &Path) -> anyhow::Result<Self> {
        let log = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        Ok(Self(command.spawn().with_context(|| format!("cannot start {command:?}"))?))
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// CPU seconds used so far.
    pub fn cpu_seconds(&self) -> anyhow::Result<f64> {
        times(&self.0.id().to_string(), OWN_TIMES)
    }

    /// Resident memory in bytes.
    pub fn resident_bytes(&self) -> anyhow::Result<u64> {
        self.status_bytes("VmRSS:")
    }

    /// The most of it that there was.
    pub fn peak_bytes(&self) -> anyhow::Result<u64> {
        self.status_bytes("VmHWM:")
    }

    fn status_bytes(&self, field: &str) -> anyhow::Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(field)).with_context(|| format!("no {field}"))?;
        let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kilobytes << 10)
    }

    /// SIGTERM, and how long it took to end.
    pub fn stop(mut self) -> anyhow::Result<Duration> {
        let begin = Instant::now();
        let signalled = Command::new("kill").arg(self.0.id().to_string()).status()?;
        ensure!(signalled.success(), "the process is gone");
        self.0.wait()?;
        Ok(begin.elapsed())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail where the process is gone already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// CPU seconds that this process has used.
pub fn own_cpu_seconds() -> anyhow::Result<f64> {
    times("self", OWN_TIMES)
}

/// Runs a command to its end: how it ended, its CPU seconds, with those of its own children, and its output.
pub fn run(mut command: Command) -> anyhow::Result<(ExitStatus, f64, String)> {
    let before = times("self", CHILDREN_TIMES)?;
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("cannot start {command:?}"))?;
    let used = times("self", CHILDREN_TIMES)? - before;
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    Ok((output.status, used, text))
}

fn times(process: &str, first_field: usize) -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    let (_, fields) = stat.rsplit_once(") ").context("a line of /proc")?;
    let ticks: u64 =
        fields.split(' ').skip(first_field).take(2).map(str::parse::<u64>).sum::<Result<u64, _>>().context("times")?;
    Ok(ticks as f64 / TICKS_PER_SECOND)
}
