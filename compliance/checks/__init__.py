"""The compliance checks, each one small function from a case to a finding."""
