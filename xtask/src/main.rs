//! House-keeping of the workspace; its tests are the tidy rules.

fn main() {}
