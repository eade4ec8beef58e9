//! Requests that turn out to be large. Each begins light, within what takes a few milliseconds, on the threads that
//! serve everybody. One that needs more begins again aside, where only a few run at a time and the others wait: so large
//! requests hold up neither small ones nor the thread that makes blocks, and what they take in memory is bounded.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use engine::metrics::Load;
use parking_lot::{Condvar, Mutex};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::block_in_place;

use crate::ApiError;

/// The breaker's name, as clients see it.
pub const BREAKER: &str = "large";
/// Bytes of a body, or of what an answer is made of, from which a request is a large one.
pub const LIGHT_BODY_BYTES: usize = 64 << 10;
/// Large requests that run at a time, at most, whatever the machine has.
const RUNNING_MAX: usize = 4;
/// Large requests that wait for that at most.
const WAITING_MAX: usize = 64;
/// How long one waits at most.
const WAIT_MAX: Duration = Duration::from_secs(5);
/// Pause after a large request, before what it took in memory goes back to the system with that of others.
const TRIM_AFTER: Duration = Duration::from_secs(2);

/// What a request may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allowance {
    /// As much as takes no time.
    Light,
    /// The same, and it was not enough.
    Exceeded,
    /// As much as one answer may.
    Large,
}

thread_local! {
    /// That of the request that this thread works on.
    static ALLOWANCE: Cell<Allowance> = const { Cell::new(Allowance::Large) };
    /// Whether it has a place already.
    static PLACED: Cell<bool> = const { Cell::new(false) };
}

/// What the request that this thread works on may take.
pub fn allowance() -> Allowance {
    ALLOWANCE.get()
}

/// Notes that a light request needs more; a large one has had all that there is.
pub fn exceed() {
    if ALLOWANCE.get() == Allowance::Light {
        ALLOWANCE.set(Allowance::Exceeded);
    }
}

/// Says beforehand what a request works on, so that one that will not be light does not begin for nothing.
///
/// # Errors
/// It has to begin again aside; nobody sees this one.
pub fn works_on(bytes: usize) -> Result<(), ApiError> {
    if bytes >= LIGHT_BODY_BYTES && allowance() == Allowance::Light {
        exceed();
        return Err(ApiError::busy(BREAKER, "this request is a large one".to_owned()));
    }
    Ok(())
}

/// Sets the allowance back when dropped, in a panic too.
struct Lightly;

impl Lightly {
    fn begin() -> Self {
        ALLOWANCE.set(Allowance::Light);
        Self
    }
}

impl Drop for Lightly {
    fn drop(&mut self) {
        ALLOWANCE.set(Allowance::Large);
    }
}

/// Where large requests run.
#[derive(Debug)]
pub struct Aside {
    crowd: Mutex<Crowd>,
    left: Condvar,
    running_max: usize,
    /// Whether memory is about to be given back.
    trims: Arc<AtomicBool>,
}

#[derive(Debug, Default)]
struct Crowd {
    running: usize,
    waiting: usize,
}

impl Aside {
    /// Where `max` run at a time, or as many as the machine has room for.
    pub fn new(max: usize) -> Self {
        // One half of the machine is for everything else.
        let half = std::thread::available_parallelism().map_or(1, |count| count.get() / 2);
        Self {
            crowd: Mutex::default(),
            left: Condvar::new(),
            running_max: half.min(RUNNING_MAX).min(max).max(1),
            trims: Arc::default(),
        }
    }

    /// How many run or wait, and may.
    pub fn load(&self) -> Load {
        let crowd = self.crowd.lock();
        Load { used: (crowd.running + crowd.waiting) as u64, limit: Some((self.running_max + WAITING_MAX) as u64) }
    }

    /// Runs a request of `size` bytes: light first, and aside where that is not enough.
    ///
    /// # Errors
    /// Those of the request, or too many others are large.
    pub fn run<T>(&self, size: usize, run: impl Fn() -> Result<T, ApiError>) -> Result<T, ApiError> {
        if size < LIGHT_BODY_BYTES {
            let (answer, was_enough) = lightly(&run);
            if was_enough {
                return answer;
            }
        }
        self.run_aside(run)?
    }

    /// Shows what was done already: where too many others are large, as far as that is light.
    pub fn show<T>(&self, show: impl Fn() -> T) -> T {
        let (shown, was_enough) = lightly(&show);
        if was_enough { shown } else { self.run_aside(show).unwrap_or(shown) }
    }

    fn run_aside<T>(&self, run: impl Fn() -> T) -> Result<T, ApiError> {
        if PLACED.get() {
            return Ok(run());
        }
        aside(|| self.enter().map(|_place| run()))
    }

    /// The same of a request that waits for others in between: only while it works it has a place.
    pub async fn run_later<T>(
        &self,
        size: usize,
        work: impl Future<Output = Result<T, ApiError>>,
    ) -> Result<T, ApiError> {
        if size < LIGHT_BODY_BYTES {
            work.await
        } else {
            Placed { aside: self, work: Box::pin(work), began: false }.await
        }
    }

    /// A place, once there is one.
    fn enter(&self) -> Result<Place<'_>, ApiError> {
        let (until, mut crowd) = (Instant::now() + WAIT_MAX, self.crowd.lock());
        if crowd.running >= self.running_max {
            if crowd.waiting >= WAITING_MAX {
                return Err(ApiError::busy(BREAKER, format!("{WAITING_MAX} large requests wait already")));
            }
            crowd.waiting += 1;
            let mut late = false;
            while crowd.running >= self.running_max && !late {
                late = self.left.wait_until(&mut crowd, until).timed_out();
            }
            crowd.waiting -= 1;
            if crowd.running >= self.running_max {
                let waited = WAIT_MAX.as_secs();
                return Err(ApiError::busy(BREAKER, format!("this large request waited for {waited} s")));
            }
        }
        crowd.running += 1;
        PLACED.set(true);
        Ok(Place { aside: self })
    }

    /// Has memory given back once the body of a request, so large as announced, is not held any more.
    pub fn trims_after(&self, announced: u64) -> impl Drop + '_ {
        Trims(Some(self).filter(|_| announced >= LIGHT_BODY_BYTES as u64))
    }

    /// Gives memory back to the system a little later. What large answers were made of lies between pieces that stay,
    /// and the allocator gives back by itself only what lies at the end.
    fn trim_soon(&self) {
        let Ok(runtime) = Handle::try_current() else { return };
        if self.trims.swap(true, Ordering::Relaxed) {
            return;
        }
        let trims = Arc::clone(&self.trims);
        runtime.spawn(async move {
            tokio::time::sleep(TRIM_AFTER).await;
            trims.store(false, Ordering::Relaxed);
            // It is of no interest when that is over.
            drop(tokio::task::spawn_blocking(engine::memory::give_back));
        });
    }
}

/// Has memory given back when dropped.
struct Trims<'a>(Option<&'a Aside>);

impl Drop for Trims<'_> {
    fn drop(&mut self) {
        self.0.iter().for_each(|aside| aside.trim_soon());
    }
}

/// A place of a large request, given back when dropped.
struct Place<'a> {
    aside: &'a Aside,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        PLACED.set(false);
        self.aside.crowd.lock().running -= 1;
        self.aside.left.notify_one();
        self.aside.trim_soon();
    }
}

/// Runs something light, and says whether that was enough.
fn lightly<T>(run: impl Fn() -> T) -> (T, bool) {
    let lightly = Lightly::begin();
    let answer = run();
    let was_enough = allowance() == Allowance::Light;
    drop(lightly);
    (answer, was_enough)
}

/// Work that has a place whenever it is polled.
struct Placed<'a, F> {
    aside: &'a Aside,
    work: Pin<Box<F>>,
    /// Whether it was polled before.
    began: bool,
}

impl<T, F: Future<Output = Result<T, ApiError>>> Future for Placed<'_, F> {
    type Output = Result<T, ApiError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { aside: places, work, began } = &mut *self;
        aside(|| match places.enter() {
            Err(busy) if !*began => Poll::Ready(Err(busy)),
            // What it asked for may have been done, and whoever asked is told: without a place if there is none.
            _place => {
                *began = true;
                work.as_mut().poll(context)
            }
        })
    }
}

/// Works without holding up what else waits for this thread, where it serves others.
fn aside<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => block_in_place(work),
        _ => work(),
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::task::Waker;

    use super::*;

    #[test]
    fn what_is_not_light_begins_again() {
        let (aside, tries) = (Aside::new(1), std::cell::RefCell::new(Vec::new()));
        let run = |size, needs_more| {
            let answer = aside.run(size, || {
                tries.borrow_mut().push(allowance());
                if needs_more {
                    exceed();
                }
                Ok(())
            });
            assert!(answer.is_ok() && allowance() == Allowance::Large);
            tries.take()
        };
        assert_eq!(run(0, false), [Allowance::Light]);
        assert_eq!(run(0, true), [Allowance::Light, Allowance::Large]);
        assert_eq!(run(LIGHT_BODY_BYTES, true), [Allowance::Large]);
    }

    #[test]
    fn too_many_are_refused() {
        let aside = Aside::new(1);
        let place = aside.enter().expect("the first has a place");
        assert!(aside.run(LIGHT_BODY_BYTES, || Ok(())).is_ok(), "it has its place already");
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| aside.run(LIGHT_BODY_BYTES, || Ok(())));
            while aside.crowd.lock().waiting == 0 {
                std::thread::yield_now();
            }
            aside.crowd.lock().waiting += WAITING_MAX;
            assert_eq!(aside.enter().err().map(|error| error.status()), Some(429));
            aside.crowd.lock().waiting -= WAITING_MAX;
            drop(place);
            assert!(waits.join().expect("it ends").is_ok());
        });
        assert_eq!(aside.load(), Load { used: 0, limit: Some(1 + WAITING_MAX as u64) });
    }

    #[test]
    fn what_began_is_answered() {
        let (aside, mut context) = (Aside::new(1), Context::from_waker(Waker::noop()));
        let work = || {
            let mut polls = 0;
            aside.run_later(
                LIGHT_BODY_BYTES,
                poll_fn(move |_| {
                    polls += 1;
                    if polls == 1 { Poll::Pending } else { Poll::Ready(Ok(polls)) }
                }),
            )
        };
        let mut begun = Box::pin(work());
        assert!(begun.as_mut().poll(&mut context).is_pending());
        // All places are taken, by others.
        aside.crowd.lock().running = 1;
        aside.crowd.lock().waiting = WAITING_MAX;
        let Poll::Ready(Err(busy)) = Box::pin(work()).as_mut().poll(&mut context) else { panic!("it begins") };
        assert_eq!(busy.breaker(), Some(BREAKER));
        assert!(matches!(begun.as_mut().poll(&mut context), Poll::Ready(Ok(2))));
        assert_eq!(aside.crowd.lock().running, 1);
    }
}
