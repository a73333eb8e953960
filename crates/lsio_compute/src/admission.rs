//! Which work starts when: the oldest run first, its lowest task first, as far as its operation, its
//! share and the budget allow. Where that run starts much in a row, another one has a turn.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crossbeam_deque::Worker as Deque;
use lsio_io::{Read, Reservation, Resident, Storage};

use crate::batch::{Tasks, batches};
use crate::bundle::{Bundle, Charge, InFlight};
use crate::executor::{Job, Shared, unit};
use crate::index_read;
use crate::operation::Gate;
use crate::planning::{Foresight, plan_window};
use crate::run::{Run, RunState};
use crate::stats::{Counters, read};
use crate::turns::Turns;

/// Reads begun together when they wait for a device, so that they are submitted together.
const BATCH: usize = 8;

/// What came of asking for the next bundle of a run.
enum Admission {
    Admitted(Admitted),
    /// The next bundle was taken apart and has to be planned again.
    TakenApart,
    /// Nothing can start now.
    Refused,
}

/// A bundle that may start, its memory, and what the run is charged for it.
struct Admitted {
    bundle: Bundle,
    reservation: Reservation,
    charge: Charge,
}

impl Shared {
    /// Starts the next work of the oldest run that can start any, or of the one whose turn it is. `false`: none can.
    pub(crate) fn advance(self: &Arc<Self>, queue: &Deque<Job>, turns: &mut Turns) -> bool {
        self.enlist();
        let advance = |run: &Arc<Run>| !self.is_busy_for(run) && self.advance_run(run, queue);
        if self.run_in_turn(turns).is_some_and(|run| advance(&run)) {
            return true;
        }
        let mut after = 0;
        while let Some(run) = self.run_after(after) {
            if advance(&run) {
                turns.started(run.id);
                return true;
            }
            after = run.id;
        }
        false
    }

    /// The run whose turn it is, if that is not the oldest.
    fn run_in_turn(&self, turns: &mut Turns) -> Option<Arc<Run>> {
        let turn = turns.due()?;
        let run = self.run_after(turn.behind).or_else(|| self.run_after(turn.of))?;
        turns.give(run.id);
        Some(run)
    }

    fn advance_run(self: &Arc<Self>, run: &Arc<Run>, queue: &Deque<Job>) -> bool {
        let (most, foresight) = if self.waits_for_device.load(Ordering::Relaxed) {
            (BATCH, Foresight::FAR)
        } else {
            (1, Foresight::NEAR)
        };
        let mut indexes = Vec::new();
        let mut admitted = Vec::new();
        let mut reads = 0;
        let mut state = run.state();
        while reads < most && state.is_active() {
            index_read::prepare(self, run, &mut state, &mut indexes);
            if state.bundles.is_empty() || !state.again.is_empty() {
                let limit = self.memory.usage().limit;
                if let Err(error) = plan_window(run, &mut state, limit, &self.cache, foresight) {
                    state.fail(run, error);
                }
                if index_read::prepare(self, run, &mut state, &mut indexes) {
                    continue;
                }
            }
            match self.admit(run, &mut state) {
                Admission::Admitted(next) => {
                    reads += next.bundle.reads.len().max(1);
                    admitted.push(next);
                }
                Admission::TakenApart => {}
                Admission::Refused => break,
            }
        }
        if state.failure.is_some() {
            self.settle(run, state);
        } else {
            drop(state);
        }
        let started = !(admitted.is_empty() && indexes.is_empty());
        indexes.into_iter().for_each(index_read::Prepared::begin);
        self.begin(run, admitted, queue);
        started
    }

    /// Takes the next bundle if it may start and there is memory for it.
    fn admit(&self, run: &Arc<Run>, state: &mut RunState) -> Admission {
        let Some((&first, bundle)) = state.bundles.first_key_value() else {
            return Admission::Refused;
        };
        let total = bundle.bytes();
        let reserved = read(&run.counters.reserved);
        let over_cap = run.options.memory.is_some_and(|cap| reserved.saturating_add(total) > cap);
        let gate = run.operation.gate(first, total, state.admitted);
        if gate == Gate::Closed || (over_cap && reserved > 0) {
            // Whoever cannot start does not stand in the way of others; an index read still waits.
            if state.unread.is_empty() {
                self.stop_waiting(run, state);
            }
            return Admission::Refused;
        }
        if gate == Gate::OneTask && bundle.tasks.len() > 1 {
            if let Some(bundle) = state.bundles.remove(&first) {
                state.take_apart(bundle);
            }
            return Admission::TakenApart;
        }
        let Some(reservation) = self.reserve(run, state, total) else {
            return Admission::Refused;
        };
        let Some(bundle) = state.bundles.remove(&first) else { return Admission::Refused };
        state.admitted += bundle.tasks.len();
        let charge = Charge::new(run.clone(), total);
        Admission::Admitted(Admitted { bundle, reservation, charge })
    }

    /// Reserves memory for a run and remembers if it has to wait.
    pub(crate) fn reserve(
        &self,
        run: &Run,
        state: &mut RunState,
        bytes: u64,
    ) -> Option<Reservation> {
        let reservation = self.memory.reserve(run.id, bytes);
        state.waits_for_memory = reservation.is_none();
        reservation
    }

    /// Reads what is in memory on this thread and submits the rest together.
    fn begin(self: &Arc<Self>, run: &Arc<Run>, admitted: Vec<Admitted>, queue: &Deque<Job>) {
        let mut batches: Vec<(Arc<dyn Storage>, Vec<Read>)> = Vec::new();
        for Admitted { bundle, reservation, charge } in admitted {
            let started = InFlight::start(self, run, bundle, reservation, charge);
            let mut ready = started.ready;
            // Told to the run once for all of these reads.
            let counters = Counters::default();
            for (storage, read) in started.reads {
                if let Some(task) = started.in_flight.read_into_place(storage.as_ref(), &read) {
                    ready.push(task);
                    self.found_in_memory();
                    continue;
                }
                match storage.try_read_resident(read) {
                    Resident::Hit(completion) => {
                        started.in_flight.arrive(&completion, &mut ready, &counters);
                        self.found_in_memory();
                    }
                    Resident::Miss(read) => {
                        self.waits_for_device.store(true, Ordering::Relaxed);
                        self.ready_unit.store(unit(storage.reads_at_once()), Ordering::Relaxed);
                        started.in_flight.submitted(read.tag);
                        let known = batches.iter_mut().find(|(at, _)| Arc::ptr_eq(at, &storage));
                        match known {
                            Some((_, reads)) => reads.push(read),
                            None => batches.push((storage, vec![read])),
                        }
                    }
                }
            }
            counters.add_to(&run.counters);
            self.push_tasks(queue, ready);
        }
        for (storage, reads) in batches {
            storage.submit(reads);
        }
    }

    /// Notes that a read was in memory; mostly that is known, and what all workers look at stays in their caches.
    fn found_in_memory(&self) {
        if self.waits_for_device.load(Ordering::Relaxed) {
            self.waits_for_device.store(false, Ordering::Relaxed);
        }
    }

    /// Queues tasks for this worker, the first on top, and calls others for what it cannot take now.
    fn push_tasks(&self, queue: &Deque<Job>, tasks: Tasks) {
        for batch in batches(tasks, self.stealers.len()).into_iter().rev() {
            let more = !queue.is_empty();
            self.ready.fetch_add(1, Ordering::Relaxed);
            queue.push(Job::Tasks(batch));
            if more {
                self.bell.ring();
            }
        }
    }
}
