"""Everything an auditor does: evidence of one loan, its verification, and reconciliation of file, mirror and chain."""
