"""What is true: rows, rules and queries. Knows nothing of JSON-RPC or HTTP."""
