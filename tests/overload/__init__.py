"""What the server does when there is too much, and of the wrong kind: overload, hostile callers, stopping."""
