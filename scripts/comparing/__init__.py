"""What the comparisons share: processes of contenders, the machine, tables in the documentation."""
