//! Components that go the same way through a plan, seen as one: an edge between two such kinds is judged once.

use std::collections::BTreeMap;

use crate::model::Edge;

/// Everything about a component that the walk of an edge looks at.
pub(crate) type Course = ([u32; 3], [u32; 3], u32);

/// The kinds of components, and what is known of edges between them.
pub(crate) struct Alike {
    kind: Vec<u32>,
    kinds: usize,
    /// By verifier's kind, prover's kind and acceptance table: 0 = not walked yet, else [`CLEAN`] + the number of
    /// states, or `BROKEN`. Empty where that would be too many.
    known: Vec<u8>,
}

impl Alike {
    /// Numbers the kinds in the order of their first component. One look-up for each component.
    pub fn of(courses: impl Iterator<Item = Course>, acceptances: usize) -> Alike {
        let mut numbers: BTreeMap<Course, u32> = BTreeMap::new();
        let kind: Vec<u32> = courses
            .map(|course| {
                let next = numbers.len() as u32;
                *numbers.entry(course).or_insert(next)
            })
            .collect();
        let kinds = numbers.len();
        let cells = kinds.saturating_mul(kinds).saturating_mul(acceptances);
        let known = if cells <= MAX_CELLS {
            vec![0; cells]
        } else {
            Vec::new()
        };
        Alike { kind, kinds, known }
    }

    /// How many states the edge has, where one like it was walked and nothing broke.
    pub fn clean(&self, edge: &Edge) -> Option<u64> {
        let known = *self.known.get(self.cell(edge))?;
        known.checked_sub(CLEAN).map(u64::from)
    }

    /// Remembers what a walk found.
    pub fn remember(&mut self, edge: &Edge, states: u64, broken: bool) {
        let cell = self.cell(edge);
        if let Some(known) = self.known.get_mut(cell) {
            *known = if broken { BROKEN } else { CLEAN + states as u8 };
        }
    }

    fn cell(&self, edge: &Edge) -> usize {
        let kind = |end: crate::model::ComponentId| self.kind[end.at()] as usize;
        (edge.acceptance.at() * self.kinds + kind(edge.verifier)) * self.kinds + kind(edge.prover)
    }
}

const BROKEN: u8 = 1;
const CLEAN: u8 = 2;
const MAX_CELLS: usize = 1 << 24;
