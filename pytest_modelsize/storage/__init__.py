"""What goes to and comes from JSON: baseline, results of checks, measurements."""
