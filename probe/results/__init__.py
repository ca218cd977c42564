"""What probes and training runs find: one module a schema, their JSON, and where they come from."""
