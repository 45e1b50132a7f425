//! A crash-faithful disk and a simulated machine.
