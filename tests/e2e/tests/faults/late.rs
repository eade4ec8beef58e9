//! A line that becomes slow while it is in use, and quick again: [`e2e::Relay`] is the one or the other from its beginning.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

/// Passes on connections to one address.
pub struct Late {
    /// Where it listens, as `HOST:PORT`.
    pub address: String,
    delay_us: Arc<AtomicU64>,
}

impl Late {
    /// One to `target`, where somebody may begin to listen later. It ends with the process.
    pub fn to(target: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        let (delay_us, target) = (Arc::<AtomicU64>::default(), target.to_owned());
        let delay = Arc::clone(&delay_us);
        std::thread::spawn(move || {
            for from in listener.incoming().flatten() {
                let Ok(to) = TcpStream::connect(&target) else { continue };
                let clone = |end: &TcpStream| end.try_clone().expect("a handle can be cloned");
                pass_on(clone(&from), clone(&to), &delay);
                pass_on(to, from, &delay);
            }
        });
        Self { address, delay_us }
    }

    /// What comes from now on is kept so long, each way.
    pub fn set(&self, delay: Duration) {
        let delay = u64::try_from(delay.as_micros()).expect("a short time");
        self.delay_us.store(delay, Ordering::Relaxed);
    }
}

/// One way of a connection: what is read waits behind what came before it.
fn pass_on(mut from: TcpStream, mut to: TcpStream, delay_us: &Arc<AtomicU64>) {
    let (queue, waiting) = channel::<(Instant, Vec<u8>)>();
    let delay_us = Arc::clone(delay_us);
    // One that refuses is a little slower.
    let _ = to.set_nodelay(true);
    std::thread::spawn(move || {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            let due = Instant::now() + Duration::from_micros(delay_us.load(Ordering::Relaxed));
            if queue.send((due, buffer[..count].to_vec())).is_err() {
                break;
            }
        }
        // Whichever end is closed, the other one is too.
        let _ = from.shutdown(Shutdown::Both);
    });
    std::thread::spawn(move || {
        for (due, bytes) in waiting {
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            if to.write_all(&bytes).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
    });
}
