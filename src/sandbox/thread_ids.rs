//! Which thread is which, without regard to numbers and to who came first: a thread is known by its
//! line of descent (the first thread's second child's first child …), which is the same in every run of a
//! program that makes its threads in the same places.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::digest::Digest;

/// What is known of the program's threads, shared by those who answer for the kernel.
#[derive(Debug, Default)]
pub struct ThreadIds(Mutex<BTreeMap<i32, Line>>);

/// A word in a thread's memory, by what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    /// Where.
    pub address: u64,
    /// What.
    pub value: u32,
}

/// A thread.
#[derive(Clone, Debug)]
pub struct Line {
    /// Its descent.
    pub name: Digest,
    /// The same as numbers: which child of the first thread, which of that one's …
    path: Vec<u64>,
    /// What it waits for to change.
    pub sleeps_on: Option<Word>,
    children: u64,
    draws: u64,
    ticks: u64,
}

impl Line {
    fn named(name: Digest) -> Self {
        Self {
            name,
            path: Vec::new(),
            sleeps_on: None,
            children: 0,
            draws: 0,
            ticks: 0,
        }
    }

    /// Not one thread but whichever draws so much.
    pub(super) fn of_anybody(length: u64) -> Self {
        Self::named(Digest::of(format!("anybody {length}")))
    }

    /// How often it has drawn on entropy before.
    pub fn draw(&mut self) -> u64 {
        self.draws += 1;
        self.draws - 1
    }

    /// How often it has asked for the time, this time included.
    pub fn tick(&mut self) -> u64 {
        self.ticks += 1;
        self.ticks
    }
}

impl ThreadIds {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<i32, Line>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A thread or process was made by another.
    pub fn born(&self, parent: i32, child: i32) {
        let mut lines = self.lock();
        let line = lines.entry(parent).or_insert_with(first);
        let number = line.children;
        line.children += 1;
        let mut name = line.name.to_string().into_bytes();
        name.extend(number.to_le_bytes());
        let mut path = line.path.clone();
        path.push(number);
        let born = Line {
            path,
            ..Line::named(Digest::of(name))
        };
        lines.insert(child, born);
    }

    /// Whether a thread's descent is known.
    #[must_use]
    pub fn knows(&self, thread: i32) -> bool {
        self.lock().contains_key(&thread)
    }

    /// A thread has become another program: it begins anew, with the number of its process.
    pub fn became_another(&self, former: i32, thread: i32) {
        let mut lines = self.lock();
        let former = lines.remove(&former).unwrap_or_else(first);
        let anew = Line {
            path: former.path,
            ..Line::named(former.name)
        };
        lines.insert(thread, anew);
    }

    /// Whether all those that come before this thread, and from which it does not descend, have ended or sleep; and it
    /// would not sleep itself. Whatever a thread begins comes before what its parent begins next.
    #[must_use]
    pub fn is_turn_of(&self, thread: i32, is_asleep: impl Fn(i32, Word) -> bool) -> bool {
        let lines = self.lock();
        let Some(line) = lines.get(&thread) else { return true };
        let sleeps = |thread, other: &Line| other.sleeps_on.is_some_and(|word| is_asleep(thread, word));
        let is_before = |other: &Line| other.path < line.path && !line.path.starts_with(&other.path);
        !sleeps(thread, line) && lines.iter().all(|(thread, other)| !is_before(other) || sleeps(*thread, other))
    }

    /// A thread has ended; its number may come again.
    pub fn ended(&self, thread: i32) {
        self.lock().remove(&thread);
    }

    /// Does something with a thread's line; one that nobody saw begin counts as the first.
    pub fn with<T>(&self, thread: i32, act: impl FnOnce(&mut Line) -> T) -> T {
        act(self.lock().entry(thread).or_insert_with(first))
    }
}

fn first() -> Line {
    Line::named(Digest::of("the first thread"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_is_known_by_descent_and_not_by_number() {
        let (one, other) = (ThreadIds::default(), ThreadIds::default());
        one.born(10, 11);
        one.born(10, 12);
        one.born(11, 13);
        other.born(70, 71);
        other.born(71, 99);
        other.born(70, 72);
        let name = |lineage: &ThreadIds, thread| lineage.with(thread, |line| line.name);
        assert_eq!(name(&one, 11), name(&other, 71));
        assert_eq!(name(&one, 13), name(&other, 99));
        assert_eq!(name(&one, 12), name(&other, 72));
        assert_ne!(name(&one, 11), name(&one, 12));
    }

    #[test]
    fn another_program_begins_to_draw_anew() {
        let lineage = ThreadIds::default();
        assert_eq!(lineage.with(5, Line::draw), 0);
        assert_eq!(lineage.with(5, Line::draw), 1);
        lineage.became_another(5, 5);
        assert_eq!(lineage.with(5, Line::draw), 0);
    }
}
