"""Level 6: options, tables, progress and exit codes shared by the command lines."""
