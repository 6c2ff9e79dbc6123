"""The admin.* functions: what the documentation has no function for."""
