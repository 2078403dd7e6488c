"""Floor 1: the plug-ins, one record each. Records hold names, formulas, parameters and kernel codes."""
