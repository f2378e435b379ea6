"""Shipped, versioned configuration of the domain: products on offer and classification rules, as TOML files."""
