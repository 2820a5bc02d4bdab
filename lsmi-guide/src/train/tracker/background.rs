//! A worker in the background: it takes what it is sent and, when asked, computes; the sender never waits for it.
//!
//! Items go through a bounded channel. Where that is full the oldest item makes room, and is counted. Orders to compute go
//! through a channel of their own, so that none is lost among items; an order that the worker has not come to yet is
//! replaced by a newer one.
//!
//! After a computation the worker rests in proportion to the time that it took, so that it works a share of the time only:
//! a loop that keeps every processor busy then loses little to it. It takes items meanwhile, and wakes for an order that
//! somebody waits for.
//!
//! The worker ends when the handle is dropped, when its channels close, or when it panics; the handle then says so instead
//! of blocking. A panic of the sender drops the handle, and so ends the worker too.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TryRecvError, TrySendError, bounded, select};

use crate::error::{GuideError, Result};

/// What a worker does.
pub(super) trait Work: Send + 'static {
    /// What it is sent.
    type Item: Send + 'static;

    /// Takes an item.
    fn take(&mut self, item: Self::Item);

    /// Computes from all items taken, for the epoch of that number; gives up early once `stop` is set.
    fn compute(&mut self, epoch: usize, stop: &AtomicBool);
}

/// How often a worker that rests looks whether it should wake.
const GLANCE: Duration = Duration::from_millis(20);

struct Order {
    epoch: usize,
    /// Where to say that it is done, if anyone waits.
    done: Option<Sender<()>>,
}

/// The handle of a worker.
pub(super) struct Background<W: Work> {
    items: Option<Sender<W::Item>>,
    orders: Option<Sender<Order>>,
    oldest_items: Receiver<W::Item>,
    oldest_orders: Receiver<Order>,
    stop: Arc<AtomicBool>,
    /// Whether somebody waits for an order.
    is_awaited: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    /// Items dropped to make room.
    pub(super) dropped: u64,
    /// Orders replaced by newer ones.
    pub(super) overtaken: u64,
    reason: Option<String>,
}

impl<W: Work> Background<W> {
    /// Starts a worker that holds at most `capacity` items that it has not taken yet, at least one, and computes for at most
    /// that share of the time, unless somebody waits.
    pub(super) fn start(mut work: W, capacity: usize, share: f64) -> Result<Self> {
        let (items, waiting_items) = bounded(capacity.max(1));
        let (orders, waiting_orders) = bounded(1);
        let stop = Arc::new(AtomicBool::new(false));
        let (oldest_items, oldest_orders) = (waiting_items.clone(), waiting_orders.clone());
        let is_awaited = Arc::new(AtomicBool::new(false));
        let pace = Pace { share, rest_until: None, is_awaited: Arc::clone(&is_awaited) };
        let of_worker = Arc::clone(&stop);
        let thread = std::thread::Builder::new()
            .name("lsmi tracker".to_owned())
            .spawn(move || run(&mut work, &waiting_items, &waiting_orders, &of_worker, pace))
            .map_err(|error| GuideError::WorkerStopped { reason: format!("it could not be started: {error}") })?;
        Ok(Self {
            items: Some(items),
            orders: Some(orders),
            oldest_items,
            oldest_orders,
            stop,
            is_awaited,
            thread: Some(thread),
            dropped: 0,
            overtaken: 0,
            reason: None,
        })
    }

    /// Sends an item, and drops the oldest where there is no room.
    ///
    /// # Errors
    /// [`GuideError::WorkerStopped`] if the worker has ended.
    pub(super) fn send(&mut self, item: W::Item) -> Result<()> {
        self.check()?;
        let Some(items) = &self.items else { return Err(self.stopped()) };
        self.dropped += send_dropping(items, &self.oldest_items, item);
        Ok(())
    }

    /// Asks for a computation without waiting for it.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub(super) fn order(&mut self, epoch: usize) -> Result<()> {
        self.check()?;
        let Some(orders) = &self.orders else { return Err(self.stopped()) };
        self.overtaken += send_dropping(orders, &self.oldest_orders, Order { epoch, done: None });
        Ok(())
    }

    /// Asks for a computation and waits until it is done.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub(super) fn order_and_wait(&mut self, epoch: usize) -> Result<()> {
        self.check()?;
        let (done, when_done) = bounded(1);
        self.is_awaited.store(true, Ordering::Relaxed);
        let Some(orders) = &self.orders else { return Err(self.stopped()) };
        self.overtaken += send_dropping(orders, &self.oldest_orders, Order { epoch, done: Some(done) });
        // A worker that ends before it comes to the order leaves it in the channel, whose other end is here.
        loop {
            match when_done.recv_timeout(GLANCE) {
                Ok(()) => return Ok(()),
                Err(RecvTimeoutError::Disconnected) => {
                    self.end();
                    return Err(self.stopped());
                }
                Err(RecvTimeoutError::Timeout) => self.check()?,
            }
        }
    }

    fn check(&mut self) -> Result<()> {
        if self.thread.as_ref().is_some_and(|thread| !thread.is_finished()) {
            return Ok(());
        }
        self.end();
        Err(self.stopped())
    }

    fn stopped(&self) -> GuideError {
        GuideError::WorkerStopped { reason: self.reason.clone().unwrap_or_else(|| "its channels closed".to_owned()) }
    }

    /// Ends the worker, and waits until it has.
    fn end(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.items = None;
        self.orders = None;
        if let Some(Err(panic)) = self.thread.take().map(JoinHandle::join) {
            self.reason = Some(format!("it panicked with `{}`", message(panic.as_ref())));
        }
    }
}

impl<W: Work> Drop for Background<W> {
    fn drop(&mut self) {
        self.end();
    }
}

/// How much a worker works.
struct Pace {
    share: f64,
    rest_until: Option<Instant>,
    is_awaited: Arc<AtomicBool>,
}

impl Pace {
    fn is_resting(&self) -> bool {
        !self.is_awaited.load(Ordering::Relaxed) && self.rest_until.is_some_and(|until| Instant::now() < until)
    }

    /// After a computation that began then; somebody may have waited for it.
    fn rest(&mut self, begun: Instant, was_awaited: bool) {
        if was_awaited {
            self.is_awaited.store(false, Ordering::Relaxed);
        }
        // A rest too long to tell is one for ever.
        let rest = Duration::try_from_secs_f64(begun.elapsed().as_secs_f64() * (self.share.recip() - 1.0));
        self.rest_until = rest.ok().and_then(|rest| Instant::now().checked_add(rest));
    }
}

/// What the worker's thread does until it is told to stop or a channel closes.
fn run<W: Work>(work: &mut W, items: &Receiver<W::Item>, orders: &Receiver<Order>, stop: &AtomicBool, mut pace: Pace) {
    while !stop.load(Ordering::Relaxed) {
        if pace.is_resting() {
            // Many items at a time: to be woken for each would take processors from the loop again and again.
            std::thread::sleep(GLANCE);
            loop {
                match items.try_recv() {
                    Ok(item) => work.take(item),
                    Err(TryRecvError::Empty) => break,
                    Err(TryRecvError::Disconnected) => return,
                }
            }
            continue;
        }
        select! {
            recv(items) -> item => match item {
                Ok(item) => work.take(item),
                Err(_) => return,
            },
            recv(orders) -> order => {
                let Ok(Order { epoch, done }) = order else { return };
                // What was sent before the order counts; what keeps coming does not hold it up.
                for item in items.try_iter().take(items.len()) {
                    work.take(item);
                }
                let begun = Instant::now();
                work.compute(epoch, stop);
                pace.rest(begun, done.is_some());
                if let Some(done) = done {
                    // Who waits may have gone.
                    let _ = done.send(());
                }
            }
        }
    }
}

/// Sends, taking the oldest out of the channel until there is room; how many were.
fn send_dropping<T>(sender: &Sender<T>, oldest: &Receiver<T>, mut item: T) -> u64 {
    let mut dropped = 0;
    loop {
        match sender.try_send(item) {
            // This end holds a receiver, so the channel is never closed from the other.
            Ok(()) | Err(TrySendError::Disconnected(_)) => return dropped,
            Err(TrySendError::Full(back)) => {
                item = back;
                dropped += u64::from(oldest.try_recv().is_ok());
            }
        }
    }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("something that is no text")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    /// The epoch of every computation, and all that was taken until then.
    type Computed = Vec<(usize, Vec<u32>)>;

    /// Remembers what it took and computed, and panics when it takes a 13.
    struct Recorder {
        taken: Vec<u32>,
        computed: Arc<Mutex<Computed>>,
        gate: Option<Gate>,
        _alive: Arc<()>,
    }

    /// Holds a worker up in each computation: it says that it has come, and waits for a token.
    struct Gate {
        come: Sender<()>,
        tokens: Receiver<()>,
    }

    impl Gate {
        /// Waits no longer than the worker is wanted, so that a test that fails ends.
        fn pass(&self, stop: &AtomicBool) {
            self.come.send(()).unwrap();
            while !stop.load(Ordering::Relaxed) && self.tokens.recv_timeout(GLANCE) == Err(RecvTimeoutError::Timeout) {}
        }
    }

    impl Work for Recorder {
        type Item = u32;

        fn take(&mut self, item: u32) {
            assert_ne!(item, 13, "thirteen");
            self.taken.push(item);
        }

        fn compute(&mut self, epoch: usize, stop: &AtomicBool) {
            if let Some(gate) = &self.gate {
                gate.pass(stop);
            }
            self.computed.lock().unwrap().push((epoch, self.taken.clone()));
        }
    }

    struct Fixture {
        worker: Background<Recorder>,
        computed: Arc<Mutex<Computed>>,
        alive: std::sync::Weak<()>,
    }

    fn start(capacity: usize, gate: Option<Gate>) -> Fixture {
        let (computed, alive) = (Arc::new(Mutex::new(Vec::new())), Arc::new(()));
        let weak = Arc::downgrade(&alive);
        let work = Recorder { taken: Vec::new(), computed: Arc::clone(&computed), gate, _alive: alive };
        Fixture { worker: Background::start(work, capacity, 1.0).unwrap(), computed, alive: weak }
    }

    #[test]
    fn what_is_sent_before_an_order_counts() {
        let Fixture { mut worker, computed, .. } = start(100, None);
        for item in 0..5 {
            worker.send(item).unwrap();
        }
        worker.order_and_wait(7).unwrap();
        assert_eq!(*computed.lock().unwrap(), [(7, vec![0, 1, 2, 3, 4])]);
    }

    #[test]
    fn the_oldest_makes_room_and_is_counted_while_the_sender_never_waits() {
        let (come, has_come) = bounded(10);
        let (open, tokens) = bounded(10);
        let Fixture { mut worker, computed, alive } = start(3, Some(Gate { come, tokens }));
        worker.order(0).unwrap();
        // At the gate the worker takes nothing. Before, though it has the order, it still takes what is sent.
        has_come.recv().unwrap();
        for item in 0..10 {
            worker.send(item).unwrap();
        }
        assert_eq!(worker.dropped, 7);
        worker.order(1).unwrap();
        worker.order(2).unwrap();
        assert_eq!(worker.overtaken, 1);
        open.send(()).unwrap();
        has_come.recv().unwrap();
        open.send(()).unwrap();
        while computed.lock().unwrap().len() < 2 {
            std::thread::yield_now();
        }
        assert_eq!(*computed.lock().unwrap(), [(0, vec![]), (2, vec![7, 8, 9])]);
        drop(worker);
        assert!(alive.upgrade().is_none(), "the worker has ended");
    }

    /// Counts computations, which take a while.
    struct Slow(Arc<Mutex<Vec<usize>>>);

    impl Work for Slow {
        type Item = u32;

        fn take(&mut self, _: u32) {}

        fn compute(&mut self, epoch: usize, _: &AtomicBool) {
            std::thread::sleep(Duration::from_millis(20));
            self.0.lock().unwrap().push(epoch);
        }
    }

    #[test]
    fn a_worker_rests_unless_somebody_waits() {
        let computed = Arc::new(Mutex::new(Vec::new()));
        // A rest of at least twenty seconds, which the test does not outlast.
        let mut worker = Background::start(Slow(Arc::clone(&computed)), 3, 0.001).unwrap();
        worker.order_and_wait(0).unwrap();
        worker.order(1).unwrap();
        std::thread::sleep(Duration::from_millis(60));
        assert_eq!(*computed.lock().unwrap(), [0]);
        worker.order_and_wait(2).unwrap();
        assert_eq!((computed.lock().unwrap().clone(), worker.overtaken), (vec![0, 2], 1));
    }

    #[test]
    fn dropping_the_handle_ends_the_worker() {
        let Fixture { worker, alive, .. } = start(3, None);
        drop(worker);
        assert!(alive.upgrade().is_none());
    }

    #[test]
    fn a_panic_of_the_worker_is_reported_and_blocks_nobody() {
        let Fixture { mut worker, alive, .. } = start(3, None);
        worker.send(13).unwrap();
        let error = worker.order_and_wait(0).unwrap_err();
        assert!(matches!(&error, GuideError::WorkerStopped { reason } if reason.contains("thirteen")), "{error}");
        assert!(worker.send(1).is_err());
        assert!(worker.order(1).is_err());
        assert!(alive.upgrade().is_none());
    }

    #[test]
    fn a_panic_of_the_sender_ends_the_worker() {
        let Fixture { worker, alive, .. } = start(3, None);
        let loop_of_training = std::thread::spawn(move || {
            let mut worker = worker;
            worker.send(1).unwrap();
            panic!("the loop fails");
        });
        assert!(loop_of_training.join().is_err());
        assert!(alive.upgrade().is_none());
    }

    #[test]
    fn closed_channels_end_the_worker() {
        let Fixture { mut worker, .. } = start(3, None);
        worker.items = None;
        worker.thread.take().unwrap().join().unwrap();
        assert!(matches!(worker.send(1), Err(GuideError::WorkerStopped { .. })));
        let Fixture { mut worker, .. } = start(3, None);
        worker.orders = None;
        worker.thread.take().unwrap().join().unwrap();
        assert!(matches!(worker.order(1), Err(GuideError::WorkerStopped { .. })));
    }
}
