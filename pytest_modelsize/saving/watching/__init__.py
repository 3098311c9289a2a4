"""What is made and saved while a test's body runs, seen in the frameworks' own calls."""
