//! The rules that no compiler checks: layers, sizes, names, words, licences and the documents' promises.
//!
//! Each rule is a function from text to the list of its complaints. One test applies it to the tree; another feeds it
//! text that breaks it, because a rule that cannot fail is no rule.

mod documents;
mod gate;
mod kernel;
mod layers;
mod licences;
mod names;
mod pure;
mod secrets;
mod sizes;
mod source;
mod tree;
mod words;

/// Fails with every complaint at once: a person mends them all in one go.
#[track_caller]
fn settle(complaints: Vec<String>) {
    assert!(
        complaints.is_empty(),
        "{} complaint(s):\n  {}",
        complaints.len(),
        complaints.join("\n  ")
    );
}
