"""Level 1: the plug-ins, one record each: name, formula, parameters, kernel code."""
