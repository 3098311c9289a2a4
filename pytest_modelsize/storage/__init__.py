"""What goes to JSON and comes from it: baseline, results of checks, measurements."""
