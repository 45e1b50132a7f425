//! Would this runtime accept this chain for this name at this time, and if not, why.
