//! Orders that a product's published procedure asks for beside safety.

/// One of the three things that can happen to a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OrderEvent {
    /// It also trusts the new generation.
    Grow,
    /// It presents the new identity.
    Switch,
    /// It no longer trusts the old generation.
    Retire,
}

/// An order of the procedure, for components by their ids. Events that a component does not have count for nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// All of `before` are effective before the first write of any of `after`.
    Before {
        /// What comes first.
        before: Vec<(String, OrderEvent)>,
        /// What comes later.
        after: Vec<(String, OrderEvent)>,
        /// Where the procedure says so.
        why: String,
    },
    /// These events of one component are one step.
    OneStep {
        /// The component.
        component: String,
        /// The events.
        events: Vec<OrderEvent>,
        /// Where the procedure says so.
        why: String,
    },
}

/// The orders that the published procedures of these components' products ask for.
pub fn document_orders(components: &[&crate::Component]) -> Vec<Order> {
    crate::workload_automation::document_orders(components)
}
