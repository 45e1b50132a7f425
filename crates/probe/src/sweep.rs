//! Many servers at once.

use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::thread;

use crate::Facts;
use crate::Identity;
use crate::Limits;
use crate::Target;
use crate::Wants;
use crate::probe;

/// What happens during a sweep.
#[derive(Debug)]
pub enum Event {
    /// A server is being asked: its place in the list.
    Begun(usize),
    /// A server is through: its place and what was seen.
    Done(usize, Box<Facts>),
}

/// Asks all `targets`, `parallel` of them at a time, and tells `told` in the order in which things happen.
///
/// `told` runs on the caller's thread; a slow one slows nobody down. `now` is asked for each target.
pub fn sweep(
    targets: &[Target],
    identity: Option<&Identity>,
    (wants, limits, parallel): (Wants, &Limits, usize),
    now: impl Fn() -> i64 + Sync,
    mut told: impl FnMut(Event),
) {
    let next = AtomicUsize::new(0);
    let (events, heard) = mpsc::channel();
    let events = Mutex::new(events);
    thread::scope(|scope| {
        for _ in 0..parallel.clamp(1, targets.len().max(1)) {
            let Ok(mine) = events.lock().map(|events| events.clone()) else {
                return;
            };
            let (next, now) = (&next, &now);
            scope.spawn(move || {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(target) = targets.get(at) else { return };
                    let _ = mine.send(Event::Begun(at));
                    let facts = probe(target, identity, wants, limits, now());
                    let _ = mine.send(Event::Done(at, Box::new(facts)));
                }
            });
        }
        drop(events);
        for event in heard {
            told(event);
        }
    });
}
