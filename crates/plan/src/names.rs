//! From the names of components to their ids: an open-addressed table, because a large fleet is looked up millions
//! of times and in the order of its text. Nothing ever iterates over it, so its order shows nowhere.

use crate::model::Component;
use crate::model::ComponentId;

/// Ids by name. The names themselves stay with the components, which every call hands in.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// Ids, or `FREE`; a power of two of them, at most half in use.
    slots: Vec<u32>,
    used: usize,
}

impl Names {
    /// The table of all components. Of two with one name the later wins.
    pub fn of(components: &[Component]) -> Names {
        let mut names = Names::default();
        names.grow(components.len(), &[]);
        for at in 0..components.len() {
            names.insert(components, ComponentId::new(at));
        }
        names
    }

    /// The component of that name.
    pub fn get(&self, components: &[Component], name: &str) -> Option<ComponentId> {
        let slot = self.slots.get(self.find(components, name)?)?;
        (*slot != FREE).then_some(ComponentId(*slot))
    }

    /// The components of many names. Those that stand in the order of the components, as steps of one wave do, are found
    /// without a look into the table.
    pub fn in_turn<'n>(
        &self,
        components: &[Component],
        names: impl Iterator<Item = &'n str>,
    ) -> Vec<Option<ComponentId>> {
        let mut next = 0;
        let find = |name: &str| {
            let found = match components.get(next) {
                Some(component) if component.name == name => Some(ComponentId::new(next)),
                _ => self.get(components, name),
            };
            next = found.map_or(next, |id| id.at() + 1);
            found
        };
        names.map(find).collect()
    }

    /// Adds a component under its name.
    pub fn insert(&mut self, components: &[Component], id: ComponentId) {
        if 2 * (self.used + 1) > self.slots.len() {
            self.grow(2 * self.used + 8, components);
        }
        if let Some(at) = self.find(components, &components[id.at()].name) {
            self.used += usize::from(self.slots[at] == FREE);
            self.slots[at] = id.0;
        }
    }

    fn grow(&mut self, wanted: usize, components: &[Component]) {
        let slots = (2 * wanted.max(4)).next_power_of_two();
        let old = std::mem::replace(&mut self.slots, vec![FREE; slots]);
        for id in old.into_iter().filter(|&id| id != FREE) {
            if let Some(at) = self.find(components, &components[id as usize].name) {
                self.slots[at] = id;
            }
        }
    }

    /// Where the name stands, or would stand; `None` in an empty table.
    fn find(&self, components: &[Component], name: &str) -> Option<usize> {
        let mask = self.slots.len().checked_sub(1)?;
        let mut at = hash(name) as usize & mask;
        while self.slots[at] != FREE && components[self.slots[at] as usize].name != name {
            at = (at + 1) & mask;
        }
        Some(at)
    }
}

/// FNV-1a, with its upper half folded in.
fn hash(name: &str) -> u64 {
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash ^ hash >> 29
}

const FREE: u32 = u32::MAX;
