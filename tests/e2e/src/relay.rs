//! A relay between two nodes, which can be cut.

use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// Passes on connections to one address as they come, until it is cut or dropped.
#[derive(Debug)]
pub struct Relay {
    /// Where it listens, as `HOST:PORT`.
    pub address: String,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    cut: AtomicBool,
    open: Mutex<Vec<TcpStream>>,
}

impl Relay {
    /// One to `target`, where somebody may begin to listen later.
    pub fn to(target: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        let (state, target) = (Arc::<State>::default(), target.to_owned());
        let shared = Arc::clone(&state);
        // It ends with the process: `accept` is not woken.
        std::thread::spawn(move || {
            for from in listener.incoming().flatten() {
                shared.pass_on(from, &target);
            }
        });
        Self { address, state }
    }

    /// Ends all connections, and takes no more until it is healed.
    pub fn cut(&self) {
        self.state.cut.store(true, Ordering::SeqCst);
        self.state.close();
    }

    /// Takes connections again.
    pub fn heal(&self) {
        self.state.cut.store(false, Ordering::SeqCst);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.cut();
    }
}

impl State {
    fn pass_on(&self, from: TcpStream, target: &str) {
        if self.cut.load(Ordering::SeqCst) {
            return;
        }
        let Ok(to) = TcpStream::connect(target) else { return };
        let ends = [&from, &to].map(|end| end.try_clone().expect("a handle can be cloned"));
        let copy = |mut from: TcpStream, mut to: TcpStream| {
            std::thread::spawn(move || {
                // Whichever end is closed, the other one is too.
                let _ = std::io::copy(&mut from, &mut to);
                let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
            });
        };
        let clone = |end: &TcpStream| end.try_clone().expect("a handle can be cloned");
        copy(clone(&from), clone(&to));
        copy(to, from);
        self.open.lock().expect("nobody panicked with it").extend(ends);
        // It may have been cut meanwhile.
        if self.cut.load(Ordering::SeqCst) {
            self.close();
        }
    }

    fn close(&self) {
        for end in self.open.lock().expect("nobody panicked with it").drain(..) {
            let _ = end.shutdown(Shutdown::Both);
        }
    }
}
