"""Floor 6, beside the command lines: options, tables, progress and exit codes that they share."""
