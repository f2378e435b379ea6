"""A simulated portfolio: borrowers, loans and what happened to them, drawn from a seed; nobody in it is real."""
