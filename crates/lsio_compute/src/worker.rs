//! What a worker thread does.
//!
//! Finish what was started before starting anything new: decode what has arrived, and only then begin
//! further reads. The exception is a device that would fall idle.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crossbeam_deque::{Steal, Worker as Deque};

use crate::executor::{Job, Shared};
use crate::index_read;
use crate::stats::add;
use crate::turns::Turns;
use crate::workspace::Workspace;

pub(crate) fn work(shared: &Arc<Shared>, number: usize, queue: &Deque<Job>) {
    let mut turns = Turns::default();
    loop {
        let seen = shared.bell.rings();
        while shared.wants_read_ahead() && shared.advance(queue, &mut turns) {}
        if let Some(job) = next_job(shared, number, queue) {
            run(shared, number, job);
        } else if !shared.devices_are_busy() && shared.advance(queue, &mut turns) {
            // There may be more to start: one worker wakes the next.
            shared.bell.ring();
        } else if shared.stop.load(Ordering::SeqCst) && shared.is_idle() {
            return;
        } else {
            add(&shared.parks, 1);
            shared.bell.wait(seen);
        }
    }
}

fn run(shared: &Arc<Shared>, number: usize, job: Job) {
    match job {
        Job::Tasks(tasks) => {
            shared.ready.fetch_sub(1, Ordering::Relaxed);
            let Some(run) = tasks.first().map(|task| task.run.clone()) else { return };
            let mut workspace = Workspace::new();
            let mut ended = Vec::with_capacity(tasks.len());
            for task in tasks {
                ended.extend(task.work(&run, &mut workspace));
            }
            add(&shared.tasks_by_worker[number], ended.len() as u64);
            workspace.counters.add_to(&run.counters);
            // All memory goes back before anybody is told.
            drop(workspace);
            shared.end_tasks(&run, ended);
        }
        Job::Index(arrived) => index_read::arrived(*arrived),
    }
}

fn next_job(shared: &Shared, number: usize, queue: &Deque<Job>) -> Option<Job> {
    if let Some(job) = queue.pop() {
        return Some(job);
    }
    loop {
        let mut again = false;
        match shared.injector.steal_batch_and_pop(queue) {
            Steal::Success(job) => return Some(job),
            Steal::Retry => again = true,
            Steal::Empty => {}
        }
        let others = (1..shared.stealers.len()).map(|step| (number + step) % shared.stealers.len());
        for other in others {
            match shared.stealers[other].steal() {
                Steal::Success(job) => {
                    add(&shared.steals, 1);
                    return Some(job);
                }
                Steal::Retry => again = true,
                Steal::Empty => {}
            }
        }
        if !again {
            return None;
        }
    }
}
