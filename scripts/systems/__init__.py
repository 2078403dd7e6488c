"""Five published systems, each row of them run by fastmlp beside what was reported."""
